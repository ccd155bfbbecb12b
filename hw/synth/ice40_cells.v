// SPDX-License-Identifier: Apache-2.0
// Two cells of the iCE40 by shorter models than those that Yosys ships, which are a tree of choices for each of a network's
// thousands of tables, and 16384 registers for the large RAM.

module SB_LUT4 #(
    parameter [15:0] LUT_INIT = 0
) (
    output O,
    input  I0,
    input  I1,
    input  I2,
    input  I3
);
    wire [15:0] table_from_here = LUT_INIT >> {I3, I2, I1, I0};
    assign O = table_from_here[0];
endmodule

// One port; POWEROFF is low to switch it off. What the output is after a write is not defined: here the complement of what
// it was, so that who relies on it is found out.
module SB_SPRAM256KA (
    input  [13:0]     ADDRESS,
    input  [15:0]     DATAIN,
    input  [3:0]      MASKWREN,
    input             WREN,
    input             CHIPSELECT,
    input             CLOCK,
    input             STANDBY,
    input             SLEEP,
    input             POWEROFF,
    output reg [15:0] DATAOUT
);
    reg [15:0] memory [0:16383];
    wire on = CHIPSELECT && !STANDBY && !SLEEP && POWEROFF;

    always @(posedge CLOCK) begin
        if (on) DATAOUT <= WREN ? ~DATAOUT : memory[ADDRESS];
        if (on && WREN && MASKWREN[0]) memory[ADDRESS][3:0] <= DATAIN[3:0];
        if (on && WREN && MASKWREN[1]) memory[ADDRESS][7:4] <= DATAIN[7:4];
        if (on && WREN && MASKWREN[2]) memory[ADDRESS][11:8] <= DATAIN[11:8];
        if (on && WREN && MASKWREN[3]) memory[ADDRESS][15:12] <= DATAIN[15:12];
    end
endmodule
