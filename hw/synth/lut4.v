// SPDX-License-Identifier: Apache-2.0
// The iCE40's table of four inputs as one shift. The model that Yosys ships says the same as a tree of choices, of which a
// whole network has tens of thousands.
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
