// SPDX-License-Identifier: Apache-2.0
// The windows of a convolution: the last KERNEL steps of W bits, every STRIDE steps, with PAD steps around the map.
//
// Tap k lies at bits k W. A step is shifted in a cycle; a window that is taken leaves in the same cycle.
`default_nettype none
module bnn_slide #(
    parameter         W         = 8,
    parameter         STEPS     = 100,
    parameter         KERNEL    = 7,
    parameter         STRIDE    = 1,
    parameter         PAD       = 5,
    parameter [W-1:0] PAD_VALUE = {W{1'b1}}
) (
    input  wire                i_clk,
    input  wire                i_rst,
    input  wire                i_valid,
    input  wire [W-1:0]        i_data,
    output wire                o_ready,
    output wire                o_valid,
    output wire [KERNEL*W-1:0] o_data,
    input  wire                i_ready
);

    localparam TOTAL = STEPS + 2 * PAD;
    localparam SW = $clog2(TOTAL + 1);
    localparam WAIT_MAX = KERNEL > STRIDE ? KERNEL : STRIDE;
    localparam WW = $clog2(WAIT_MAX + 1);
    localparam [31:0] LAST = TOTAL - 1;
    localparam [31:0] FIRST = PAD;
    localparam [31:0] BEHIND = PAD + STEPS;
    localparam [31:0] FILL = KERNEL - 1;
    localparam [31:0] SKIP = STRIDE - 1;

    reg [KERNEL*W-1:0] window_r;
    reg                valid_r;
    reg [SW-1:0]       step_r;
    reg [WW-1:0]       wait_r;   // steps that are missing before the one that completes a window
    reg                pad_r;    // step_r is one of the pads: known a step ahead, since o_ready depends on it
    wire               room  = !valid_r || i_ready;
    wire               shift = room && (pad_r || i_valid);
    wire [W-1:0]       step  = pad_r ? PAD_VALUE : i_data;

    assign o_ready = room && !pad_r;
    assign o_valid = valid_r;
    assign o_data  = window_r;

    generate
        if (KERNEL == 1) begin : g_one
            always @(posedge i_clk) if (shift) window_r <= step;
        end else begin : g_more
            always @(posedge i_clk) if (shift) window_r <= {step, window_r[KERNEL*W-1:W]};
        end
    endgenerate

    always @(posedge i_clk) begin
        if (room) valid_r <= shift && wait_r == {WW{1'b0}};
        if (shift) begin
            step_r <= step_r == LAST[SW-1:0] ? {SW{1'b0}} : step_r + 1'b1;
            pad_r  <= PAD != 0 && (step_r == LAST[SW-1:0] || step_r + 2'd2 <= FIRST[SW-1:0]
                                   || step_r + 1'b1 >= BEHIND[SW-1:0]);
            wait_r <= step_r == LAST[SW-1:0] ? FILL[WW-1:0] : wait_r == {WW{1'b0}} ? SKIP[WW-1:0] : wait_r - 1'b1;
        end
        if (i_rst) begin
            valid_r <= 1'b0;
            step_r  <= {SW{1'b0}};
            pad_r   <= PAD != 0;
            wait_r  <= FILL[WW-1:0];
        end
    end
endmodule
`default_nettype wire
