// SPDX-License-Identifier: Apache-2.0
// A window as the first layer reads it: d = 2^FRAC x - mean, with PAD steps of the value std on either side.
//
// It takes the statistics when the last step leaves, which is also when the frame may reuse the bank.
`default_nettype none
module bnn_standardise #(
    parameter LENGTH = 3600,
    parameter AW     = 12,
    parameter PAD    = 5,
    parameter FRAC   = 4
) (
    input  wire             i_clk,
    input  wire             i_rst,
    input  wire             i_valid,
    input  wire [16+FRAC:0] i_mean,
    input  wire [16+FRAC:0] i_std,
    output wire             o_ready,
    output wire             o_done,
    output wire             o_read,
    output wire [AW-1:0]    o_addr,
    input  wire [15:0]      i_sample,
    output wire             o_valid,
    output wire [16+FRAC:0] o_data,
    input  wire             i_ready
);

    localparam SW = $clog2(LENGTH + 2 * PAD + 1);
    localparam [31:0] FIRST = PAD;
    localparam [31:0] BEHIND = PAD + LENGTH;
    localparam [31:0] TOTAL = LENGTH + 2 * PAD;

    reg [SW-1:0]  step_r;    // the next step to fetch
    reg           valid_r, pad_r, last_r;
    wire          move   = !valid_r || i_ready;
    wire          fetch  = move && i_valid && step_r != TOTAL[SW-1:0];
    wire          is_sample = step_r >= FIRST[SW-1:0] && step_r < BEHIND[SW-1:0];
    wire [SW-1:0] place  = step_r - FIRST[SW-1:0];

    assign o_read  = fetch && is_sample;
    assign o_addr  = place[AW-1:0];
    assign o_valid = valid_r;
    assign o_data  = pad_r ? i_std : {i_sample[15], i_sample, {FRAC{1'b0}}} - i_mean;
    assign o_ready = valid_r && i_ready && last_r;
    assign o_done  = o_ready;

    always @(posedge i_clk) begin
        if (move) begin
            valid_r <= fetch;
            pad_r   <= !is_sample;
            last_r  <= step_r == TOTAL[SW-1:0] - 1'b1;
        end
        if (fetch) step_r <= step_r + 1'b1;
        if (o_ready) step_r <= {SW{1'b0}};
        if (i_rst) begin
            step_r  <= {SW{1'b0}};
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
