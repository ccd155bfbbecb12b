// SPDX-License-Identifier: Apache-2.0
// Mean and standard deviation of a window in units of 2^-FRAC steps, from the sums of u = x + 2^15.
//
//     mean = floor((2^(FRAC+1) sum + n) / 2n) - 2^(15+FRAC)
//     std  = max(1, floor(floor(sqrt(V 4^FRAC)) / n)),  V = n squares - sum^2
//
// Each step is a module with a stream on either side; nothing is shared, so nothing needs a schedule.
`default_nettype none
module bnn_stats #(
    parameter LENGTH = 3600,
    parameter FRAC   = 4,
    parameter NW     = 12,   // bits of LENGTH
    parameter SW     = 28,
    parameter QW     = 44
) (
    input  wire               i_clk,
    input  wire               i_rst,
    input  wire               i_valid,
    input  wire [SW-1:0]      i_sum,
    input  wire [QW-1:0]      i_squares,
    output wire               o_ready,
    output wire               o_valid,
    output wire [16+FRAC:0]   o_mean,
    output wire [16+FRAC:0]   o_std,
    input  wire               i_ready
);

    // The variance of 16-bit numbers is below 2^30.
    localparam VW = 2 * NW + 30;
    localparam RW = NW + 15 + FRAC;
    localparam MW = SW + FRAC + 2;

    wire [1:0] ready, valid;
    bnn_fork #(.N(2)) fork_sums (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(i_valid), .o_ready(o_ready), .o_valid(valid), .i_ready(ready));

    wire          variance_valid, root_ready, root_valid, std_ready, std_valid, mean_valid;
    wire [VW-1:0] variance;
    wire [RW-1:0] root, std;
    wire [MW-1:0] mean;

    bnn_variance #(.LENGTH(LENGTH), .SW(SW), .QW(QW), .VW(VW)) variance_of (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(valid[0]), .i_sum(i_sum), .i_squares(i_squares), .o_ready(ready[0]),
        .o_valid(variance_valid), .o_variance(variance), .i_ready(root_ready));

    bnn_root #(.ROOT_W(RW)) root_of (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(variance_valid), .i_data({variance, {(2*FRAC){1'b0}}}),
        .o_ready(root_ready), .o_valid(root_valid), .o_data(root), .i_ready(std_ready));

    bnn_divide #(.W(RW), .DW(NW), .DIVISOR(LENGTH)) std_of (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(root_valid), .i_data(root), .o_ready(std_ready),
        .o_valid(std_valid), .o_data(std), .i_ready(o_valid && i_ready));

    localparam [31:0] HALF = LENGTH;
    bnn_divide #(.W(MW), .DW(NW + 1), .DIVISOR(2 * LENGTH)) mean_of (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(valid[1]), .i_data({1'b0, i_sum, {(FRAC+1){1'b0}}} + {{(MW-NW){1'b0}}, HALF[NW-1:0]}),
        .o_ready(ready[1]), .o_valid(mean_valid), .o_data(mean), .i_ready(o_valid && i_ready));

    localparam [16+FRAC:0] SHIFT = 1 << (15 + FRAC);
    assign o_valid = std_valid && mean_valid;
    assign o_mean  = mean[16+FRAC:0] - SHIFT;
    assign o_std   = std == {RW{1'b0}} ? {{(16+FRAC){1'b0}}, 1'b1} : {1'b0, std[15+FRAC:0]};

    wire unused = &{1'b0, mean[MW-1:17+FRAC]};
endmodule
`default_nettype wire
