// SPDX-License-Identifier: Apache-2.0
// Of each window first the A beats of one stream, then the B beats of another.
`default_nettype none
module bnn_join #(
    parameter W = 8,
    parameter A = 12,
    parameter B = 9
) (
    input  wire         i_clk,
    input  wire         i_rst,
    input  wire         i_a_valid,
    input  wire [W-1:0] i_a,
    output wire         o_a_ready,
    input  wire         i_b_valid,
    input  wire [W-1:0] i_b,
    output wire         o_b_ready,
    output wire         o_valid,
    output wire [W-1:0] o_data,
    input  wire         i_ready
);

    localparam NW = $clog2(A + B);
    localparam [31:0] FIRST_B = A;
    localparam [31:0] LAST = A + B - 1;

    reg [NW-1:0] beat_r;
    reg          second_r;   // beat_r is one of b's

    assign o_valid   = second_r ? i_b_valid : i_a_valid;
    assign o_data    = second_r ? i_b : i_a;
    assign o_a_ready = !second_r && i_ready;
    assign o_b_ready = second_r && i_ready;

    always @(posedge i_clk) begin
        if (o_valid && i_ready) begin
            beat_r   <= beat_r == LAST[NW-1:0] ? {NW{1'b0}} : beat_r + 1'b1;
            second_r <= beat_r != LAST[NW-1:0] && beat_r + 1'b1 >= FIRST_B[NW-1:0];
        end
        if (i_rst) begin
            beat_r   <= {NW{1'b0}};
            second_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
