// SPDX-License-Identifier: Apache-2.0
// Sum and sum of squares of a window's samples, taken as unsigned: u = x + 2^15.
//
// The shift saves all signs behind it: the variance does not see it, and the mean gives it back at the end.
`default_nettype none
module bnn_sums #(
    parameter LENGTH = 3600,
    parameter AW     = 12,
    parameter SW     = 28,
    parameter QW     = 44
) (
    input  wire          i_clk,
    input  wire          i_rst,
    input  wire          i_valid,
    input  wire [15:0]   i_data,
    output wire          o_ready,
    output wire          o_valid,
    output wire [SW-1:0] o_sum,
    output wire [QW-1:0] o_squares,
    input  wire          i_ready
);

    localparam [31:0] LAST = LENGTH - 1;

    reg [AW-1:0] count_r;
    reg          valid1_r, valid2_r, valid3_r;
    reg          last1_r, last2_r;
    reg [15:0]   u1_r, u2_r;
    reg [31:0]   square2_r;
    reg [SW-1:0] sum_r;
    reg [QW-1:0] squares_r;
    reg          fresh_r;

    assign o_valid   = valid3_r;
    assign o_sum     = sum_r;
    assign o_squares = squares_r;
    assign o_ready   = !valid3_r || i_ready;

    always @(posedge i_clk) begin
        if (o_ready) begin
            u1_r      <= {!i_data[15], i_data[14:0]};
            last1_r   <= count_r == LAST[AW-1:0];
            u2_r      <= u1_r;
            last2_r   <= last1_r;
            square2_r <= u1_r * u1_r;
            if (valid2_r) begin
                sum_r     <= (fresh_r ? {SW{1'b0}} : sum_r) + {{(SW-16){1'b0}}, u2_r};
                squares_r <= (fresh_r ? {QW{1'b0}} : squares_r) + {{(QW-32){1'b0}}, square2_r};
                fresh_r   <= last2_r;
            end
            valid1_r <= i_valid;
            valid2_r <= valid1_r;
            valid3_r <= valid2_r && last2_r;
            if (i_valid) count_r <= count_r == LAST[AW-1:0] ? {AW{1'b0}} : count_r + 1'b1;
        end
        if (i_rst) begin
            count_r  <= {AW{1'b0}};
            valid1_r <= 1'b0;
            valid2_r <= 1'b0;
            valid3_r <= 1'b0;
            fresh_r  <= 1'b1;
        end
    end
endmodule
`default_nettype wire
