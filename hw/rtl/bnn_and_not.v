// SPDX-License-Identifier: Apache-2.0
// y = a and not b, bit by bit: two streams become one.
`default_nettype none
module bnn_and_not #(
    parameter W = 4
) (
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

    assign o_valid   = i_a_valid && i_b_valid;
    assign o_data    = i_a & ~i_b;
    assign o_a_ready = i_ready && i_b_valid;
    assign o_b_ready = i_ready && i_a_valid;
endmodule
`default_nettype wire
