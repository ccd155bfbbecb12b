// SPDX-License-Identifier: Apache-2.0
// One beat becomes LANES beats of one value each, the lowest first.
`default_nettype none
module bnn_scatter #(
    parameter W     = 10,
    parameter LANES = 4
) (
    input  wire               i_clk,
    input  wire               i_rst,
    input  wire               i_valid,
    input  wire [LANES*W-1:0] i_data,
    output wire               o_ready,
    output wire               o_valid,
    output wire [W-1:0]       o_data,
    input  wire               i_ready
);

    localparam CW = $clog2(LANES + 1);
    localparam [31:0] ALL = LANES;

    reg [LANES*W-1:0] data_r;
    reg [CW-1:0]      left_r;

    assign o_ready = left_r == {CW{1'b0}};
    assign o_valid = !o_ready;
    assign o_data  = data_r[W-1:0];

    always @(posedge i_clk) begin
        if (o_ready) begin
            data_r <= i_data;
            if (i_valid) left_r <= ALL[CW-1:0];
        end else if (i_ready) begin
            data_r <= data_r >> W;
            left_r <= left_r - 1'b1;
        end
        if (i_rst) left_r <= {CW{1'b0}};
    end
endmodule
`default_nettype wire
