// SPDX-License-Identifier: Apache-2.0
// One register in a stream, at full rate: what is in it may leave in the cycle in which the next beat arrives.
`default_nettype none
module bnn_slice #(
    parameter W = 8
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

    reg         valid_r;
    reg [W-1:0] data_r;

    assign o_valid = valid_r;
    assign o_data  = data_r;
    assign o_ready = !valid_r || i_ready;

    always @(posedge i_clk) begin
        if (i_rst) valid_r <= 1'b0;
        else if (o_ready) valid_r <= i_valid;
        if (o_ready) data_r <= i_data;
    end
endmodule
`default_nettype wire
