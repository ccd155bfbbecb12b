// SPDX-License-Identifier: Apache-2.0
// One stream to N readers, each of which takes a beat when it likes; the next beat comes when all have taken it.
//
// o_valid does not depend on i_ready, so forks and joins may follow each other without a loop of wires.
`default_nettype none
module bnn_fork #(
    parameter N = 2
) (
    input  wire         i_clk,
    input  wire         i_rst,
    input  wire         i_valid,
    output wire         o_ready,
    output wire [N-1:0] o_valid,
    input  wire [N-1:0] i_ready
);

    reg [N-1:0] done_r;

    assign o_valid = {N{i_valid}} & ~done_r;
    assign o_ready = &(done_r | i_ready);

    always @(posedge i_clk) begin
        if (i_rst || (i_valid && o_ready)) done_r <= {N{1'b0}};
        else if (i_valid) done_r <= done_r | i_ready;
    end
endmodule
`default_nettype wire
