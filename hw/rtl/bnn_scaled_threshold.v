// SPDX-License-Identifier: Apache-2.0
// y = x >= bound, with bounds that a window's standard deviation scales: they come as a stream, LANES at a time, before
// the first step of a window, and stay in a ring that turns with every beat.
`default_nettype none
module bnn_scaled_threshold #(
    parameter LANES = 4,
    parameter FOLD  = 2,
    parameter STEPS = 1802,
    parameter W      = 24,
    parameter MEMORY = 0
) (
    input  wire               i_clk,
    input  wire               i_rst,
    input  wire               i_bound_valid,
    input  wire [LANES*(W+1)-1:0] i_bounds,
    output wire               o_bound_ready,
    input  wire               i_valid,
    input  wire [LANES*W-1:0] i_data,
    output wire               o_ready,
    output wire               o_valid,
    output wire [LANES-1:0]   o_data,
    input  wire               i_ready
);

    localparam BW = W + 1;
    localparam RW = $clog2(FOLD + 1);
    localparam NW = $clog2(STEPS * FOLD + 1);
    localparam [31:0] ALL = FOLD;
    localparam [31:0] BEATS = STEPS * FOLD - 1;

    reg [RW-1:0]      loaded_r;
    reg [NW-1:0]      beat_r;
    wire              full = loaded_r == ALL[RW-1:0];
    wire              slice_ready;
    wire [LANES*BW-1:0] bounds;
    wire              beat = i_valid && o_ready;
    wire [LANES-1:0]  bits;

    assign o_bound_ready = !full;
    assign o_ready = full && slice_ready;

    bnn_ring #(.W(LANES * BW), .DEPTH(FOLD), .MEMORY(MEMORY)) ring (
        .i_clk(i_clk), .i_rst(i_rst), .i_push(full ? beat : i_bound_valid), .i_data(full ? bounds : i_bounds), .o_head(bounds));

    always @(posedge i_clk) begin
        if (i_bound_valid && !full) loaded_r <= loaded_r + 1'b1;
        if (beat) beat_r <= beat_r == BEATS[NW-1:0] ? {NW{1'b0}} : beat_r + 1'b1;
        if (i_rst || (beat && beat_r == BEATS[NW-1:0])) loaded_r <= {RW{1'b0}};
        if (i_rst) beat_r <= {NW{1'b0}};
    end

    genvar l;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire signed [W:0] x = {i_data[l*W+W-1], i_data[l*W +: W]};
            wire signed [W:0] t = bounds[l*BW +: BW];
            assign bits[l] = x >= t;
        end
    endgenerate

    bnn_slice #(.W(LANES)) slice (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(i_valid && full), .i_data(bits), .o_ready(slice_ready),
        .o_valid(o_valid), .o_data(o_data), .i_ready(i_ready));
endmodule
`default_nettype wire
