// SPDX-License-Identifier: Apache-2.0
// floor(x / DIVISOR) of unsigned numbers, one bit of the quotient a cycle. DIVISOR is below 2^DW.
`default_nettype none
module bnn_divide #(
    parameter W       = 32,
    parameter DW      = 12,
    parameter DIVISOR = 3600
) (
    input  wire         i_clk,
    input  wire         i_rst,
    input  wire         i_valid,
    input  wire [W-1:0] i_data,
    output wire         o_ready,
    output wire         o_valid,
    output wire [W-1:0] o_data,
    input  wire         i_ready
);

    localparam CW = $clog2(W + 1);
    localparam [31:0] DIGITS = W;
    localparam [31:0] BY = DIVISOR;

    reg [CW-1:0]  count_r;
    reg           valid_r;
    reg [W-1:0]   x_r;      // what is left of the dividend above, the quotient so far below
    reg [DW-1:0]  rest_r;
    wire [DW:0]   next  = {rest_r, x_r[W-1]};
    wire          digit = next >= BY[DW:0];
    wire [DW-1:0] rest  = digit ? next[DW-1:0] - BY[DW-1:0] : next[DW-1:0];

    assign o_ready = count_r == {CW{1'b0}} && !valid_r;
    assign o_valid = valid_r;
    assign o_data  = x_r;

    always @(posedge i_clk) begin
        if (o_ready && i_valid) begin
            count_r <= DIGITS[CW-1:0];
            x_r     <= i_data;
            rest_r  <= {DW{1'b0}};
        end else if (count_r != {CW{1'b0}}) begin
            count_r <= count_r - 1'b1;
            x_r     <= {x_r[W-2:0], digit};
            rest_r  <= rest;
            valid_r <= count_r == 1;
        end else if (i_ready) begin
            valid_r <= 1'b0;
        end
        if (i_rst) begin
            count_r <= {CW{1'b0}};
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
