// SPDX-License-Identifier: Apache-2.0
// The larger of two signed integers; of two bits, which are unsigned, their OR.
`default_nettype none
module bnn_max #(
    parameter W = 10
) (
    input  wire [W-1:0] i_a,
    input  wire [W-1:0] i_b,
    output wire [W-1:0] o_max
);

    generate
        if (W == 1) begin : g_bit
            assign o_max = i_a | i_b;
        end else begin : g_integer
            assign o_max = $signed(i_a) > $signed(i_b) ? i_a : i_b;
        end
    endgenerate
endmodule
`default_nettype wire
