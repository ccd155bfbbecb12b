// SPDX-License-Identifier: Apache-2.0
// Collects N logits, and the index of the largest, the first of them where several are equal.
`default_nettype none
module bnn_argmax #(
    parameter N = 5
) (
    input  wire            i_clk,
    input  wire            i_rst,
    input  wire            i_valid,
    input  wire [31:0]     i_data,
    output wire            o_ready,
    output wire            o_valid,
    output wire [7:0]      o_class,
    output wire [N*32-1:0] o_logits,
    input  wire            i_ready
);

    localparam [7:0] LAST = N - 1;

    reg               valid_r;
    reg [7:0]         count_r, class_r;
    reg signed [31:0] best_r;
    reg [N*32-1:0]    logits_r;
    wire              first = count_r == 8'd0;

    assign o_ready  = !valid_r;
    assign o_valid  = valid_r;
    assign o_class  = class_r;
    assign o_logits = logits_r;

    always @(posedge i_clk) begin
        if (i_valid && o_ready) begin
            logits_r <= {i_data, logits_r[N*32-1:32]};
            count_r  <= count_r == LAST ? 8'd0 : count_r + 8'd1;
            valid_r  <= count_r == LAST;
            if (first || $signed(i_data) > best_r) begin
                best_r  <= i_data;
                class_r <= count_r;
            end
        end else if (i_ready) begin
            valid_r <= 1'b0;
        end
        if (i_rst) begin
            count_r <= 8'd0;
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
