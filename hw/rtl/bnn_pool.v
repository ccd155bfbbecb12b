// SPDX-License-Identifier: Apache-2.0
// The largest of KERNEL neighbouring steps, every STRIDE steps; of bits (W = 1) that is their OR.
//
// LIVE windows are open at a time, each with the largest of what it has seen. A step that opens a window moves all one
// place up; the one in the last place is complete when its step KERNEL - 1 arrives. A ring of FOLD words holds
// them for all beats of a step.
`default_nettype none
module bnn_pool #(
    parameter LANES  = 4,
    parameter FOLD   = 4,
    parameter W      = 1,
    parameter STEPS  = 100,
    parameter KERNEL = 7,
    parameter STRIDE = 2,
    parameter MEMORY = 0
) (
    input  wire               i_clk,
    input  wire               i_rst,
    input  wire               i_valid,
    input  wire [LANES*W-1:0] i_data,
    output wire               o_ready,
    output wire               o_valid,
    output wire [LANES*W-1:0] o_data,
    input  wire               i_ready
);

    localparam LIVE = (KERNEL - 1) / STRIDE + 1;
    localparam DW = LANES * W;
    localparam SW = $clog2(STEPS + 1);
    localparam BW = FOLD > 1 ? $clog2(FOLD) : 1;
    localparam WAIT_MAX = KERNEL > STRIDE ? KERNEL : STRIDE;
    localparam WW = $clog2(WAIT_MAX + 1);
    localparam [31:0] LAST = STEPS - 1;
    localparam [31:0] LAST_BEAT = FOLD - 1;
    localparam [31:0] FILL = KERNEL - 1;
    localparam [31:0] SKIP = STRIDE - 1;

    reg [BW-1:0]           beat_r;
    reg [SW-1:0]           step_r;
    reg [WW-1:0]           open_r;    // steps newer the next one that opens a window
    reg [WW-1:0]           wait_r;    // steps newer the next one that completes a window
    wire                   opens = open_r == {WW{1'b0}};
    wire                   completes = wait_r == {WW{1'b0}};
    wire                   move = i_valid && o_ready;
    wire [LIVE*DW-1:0]     old;
    wire [LIVE*DW-1:0]     best;

    assign o_valid = i_valid && completes;
    assign o_ready = i_ready || !completes;
    assign o_data  = best[(LIVE-1)*DW +: DW];

    genvar p, l;
    generate
        for (p = 0; p < LIVE; p = p + 1) begin : g_window
            for (l = 0; l < LANES; l = l + 1) begin : g_lane
                wire [W-1:0] x = i_data[l*W +: W];
                wire [W-1:0] kept = old[p*DW+l*W +: W];
                if (p == 0) begin : g_newest
                    bnn_max #(.W(W)) max (.i_a(opens ? x : kept), .i_b(x), .o_max(best[l*W +: W]));
                end else begin : g_older
                    wire [W-1:0] newer = old[(p-1)*DW+l*W +: W];
                    bnn_max #(.W(W)) max (.i_a(opens ? newer : kept), .i_b(x), .o_max(best[p*DW+l*W +: W]));
                end
            end
        end
    endgenerate

    bnn_ring #(.W(LIVE * DW), .DEPTH(FOLD), .MEMORY(MEMORY)) ring (
        .i_clk(i_clk), .i_rst(i_rst), .i_push(move), .i_data(best), .o_head(old));

    always @(posedge i_clk) begin
        if (move) begin
            beat_r <= beat_r == LAST_BEAT[BW-1:0] ? {BW{1'b0}} : beat_r + 1'b1;
            if (beat_r == LAST_BEAT[BW-1:0]) begin
                step_r <= step_r == LAST[SW-1:0] ? {SW{1'b0}} : step_r + 1'b1;
                open_r <= step_r == LAST[SW-1:0] ? {WW{1'b0}} : opens ? SKIP[WW-1:0] : open_r - 1'b1;
                wait_r <= step_r == LAST[SW-1:0] ? FILL[WW-1:0] : completes ? SKIP[WW-1:0] : wait_r - 1'b1;
            end
        end
        if (i_rst) begin
            beat_r <= {BW{1'b0}};
            step_r <= {SW{1'b0}};
            open_r <= {WW{1'b0}};
            wait_r <= FILL[WW-1:0];
        end
    end
endmodule
`default_nettype wire
