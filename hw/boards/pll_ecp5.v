// SPDX-License-Identifier: Apache-2.0
// Clock generator of the ECP5, with feedback from its own output: f_out = f_in FEEDBACK / REFERENCE, and the oscillator
// runs at f_out OUTPUT. Half a period of phase, counted in turns of the oscillator, puts the output's edge onto the input's.
`default_nettype none

module pll_ecp5 #(
    parameter REFERENCE = 1,
    parameter FEEDBACK = 1,
    parameter OUTPUT = 1
) (
    input  wire i_clk,
    output wire o_clk,
    output wire o_locked
);
    (* ICP_CURRENT="12", LPF_RESISTOR="8", MFG_ENABLE_FILTEROPAMP="1", MFG_GMCREF_SEL="2" *)
    EHXPLLL #(
        .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"), .DPHASE_SOURCE("DISABLED"),
        .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"), .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD"),
        .CLKI_DIV(REFERENCE), .CLKFB_DIV(FEEDBACK), .FEEDBK_PATH("CLKOP"),
        .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(OUTPUT), .CLKOP_CPHASE(OUTPUT / 2), .CLKOP_FPHASE(0)
    ) u_pll (
        .CLKI(i_clk), .CLKFB(o_clk), .CLKOP(o_clk), .LOCK(o_locked),
        .RST(1'b0), .STDBY(1'b0), .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1),
        .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0)
    );
endmodule

`default_nettype wire
