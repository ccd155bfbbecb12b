// SPDX-License-Identifier: Apache-2.0
// Clock generator of the GW1NR-9: f_out = f_in FEEDBACK / REFERENCE, and the oscillator runs at f_out OUTPUT.
`default_nettype none

module pll_gowin #(
    parameter REFERENCE = 1,
    parameter FEEDBACK = 1,
    parameter OUTPUT = 2,
    parameter CLOCK = "27" // MHz of i_clk
) (
    input  wire i_clk,
    output wire o_clk,
    output wire o_locked
);
    rPLL #(
        .FCLKIN(CLOCK), .IDIV_SEL(REFERENCE - 1), .FBDIV_SEL(FEEDBACK - 1), .ODIV_SEL(OUTPUT)
    ) u_pll (
        .CLKIN(i_clk), .CLKOUT(o_clk), .LOCK(o_locked), .CLKFB(1'b0), .RESET(1'b0), .RESET_P(1'b0),
        .FBDSEL(6'b0), .IDSEL(6'b0), .ODSEL(6'b0), .PSDA(4'b0), .DUTYDA(4'b0), .FDLY(4'b0)
    );
endmodule

`default_nettype wire
