// SPDX-License-Identifier: Apache-2.0
// LENGTH * squares - sum * sum, LENGTH^2 times the variance, by shift and add: one bit of a factor a cycle.
//
// Modulo 2^VW: the products may be larger than their difference, which VW bits hold.
`default_nettype none
module bnn_variance #(
    parameter LENGTH = 3600,
    parameter SW     = 28,
    parameter QW     = 44,
    parameter VW     = 54
) (
    input  wire          i_clk,
    input  wire          i_rst,
    input  wire          i_valid,
    input  wire [SW-1:0] i_sum,
    input  wire [QW-1:0] i_squares,
    output wire          o_ready,
    output wire          o_valid,
    output wire [VW-1:0] o_variance,
    input  wire          i_ready
);

    reg          busy_r;
    reg          second_r;
    reg          valid_r;
    reg [SW-1:0] factor_r;
    reg [SW-1:0] sum_r;
    reg [VW-1:0] term_r;
    reg [VW-1:0] total_r;

    assign o_ready    = !busy_r && !valid_r;
    assign o_valid    = valid_r;
    assign o_variance = total_r;

    always @(posedge i_clk) begin
        if (o_ready && i_valid) begin
            busy_r   <= 1'b1;
            second_r <= 1'b0;
            factor_r <= LENGTH;
            term_r   <= {{(VW-QW){1'b0}}, i_squares};
            sum_r    <= i_sum;
            total_r  <= {VW{1'b0}};
        end else if (busy_r) begin
            factor_r <= factor_r >> 1;
            term_r   <= term_r << 1;
            if (factor_r[0]) total_r <= second_r ? total_r - term_r : total_r + term_r;
            if (factor_r == {SW{1'b0}}) begin
                second_r <= 1'b1;
                factor_r <= sum_r;
                term_r   <= {{(VW-SW){1'b0}}, sum_r};
                busy_r   <= !second_r;
                valid_r  <= second_r;
            end
        end else if (i_ready) begin
            valid_r <= 1'b0;
        end
        if (i_rst) begin
            busy_r  <= 1'b0;
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
