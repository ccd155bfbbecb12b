// SPDX-License-Identifier: Apache-2.0
// Clock generator of the iCE40 whose input is the pin beside it: f_out = f_in FEEDBACK / (REFERENCE OUTPUT), OUTPUT a
// power of two, and the oscillator runs at f_out OUTPUT.
`default_nettype none

module pll_ice40 #(
    parameter REFERENCE = 1,
    parameter FEEDBACK = 1,
    parameter OUTPUT = 2,
    parameter FILTER = 1
) (
    input  wire i_clk,
    output wire o_clk,
    output wire o_locked
);
    localparam [3:0] DIVR = REFERENCE - 1;
    localparam [6:0] DIVF = FEEDBACK - 1;
    localparam [2:0] DIVQ = $clog2(OUTPUT), RANGE = FILTER;

    SB_PLL40_PAD #(
        .FEEDBACK_PATH("SIMPLE"), .DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ), .FILTER_RANGE(RANGE)
    ) u_pll (
        .PACKAGEPIN(i_clk), .PLLOUTGLOBAL(o_clk), .LOCK(o_locked), .RESETB(1'b1), .BYPASS(1'b0)
    );
endmodule

`default_nettype wire
