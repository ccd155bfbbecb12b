// SPDX-License-Identifier: Apache-2.0
// y = x >= t, lane by lane. Beat f of a step has channels f LANES + l; word f of the image has their bounds.
//
// Bounds have one bit more than the values, so that there is one which no value reaches.
`default_nettype none
module bnn_threshold #(
    parameter LANES = 4,
    parameter FOLD  = 4,
    parameter W     = 7,
    parameter FILE  = ""
) (
    input  wire               i_clk,
    input  wire               i_rst,
    input  wire               i_valid,
    input  wire [LANES*W-1:0] i_data,
    output wire               o_ready,
    output wire               o_valid,
    output wire [LANES-1:0]   o_data,
    input  wire               i_ready
);

    localparam AW = FOLD > 1 ? $clog2(FOLD) : 1;
    localparam [31:0] LAST = FOLD - 1;

    (* rom_style = "logic", ram_style = "logic" *)
    reg [LANES*(W+1)-1:0] bounds [0:FOLD-1];
    generate if (FILE != "") begin : g_contents initial $readmemh(FILE, bounds); end endgenerate

    reg [AW-1:0]    beat_r;
    wire [LANES*(W+1)-1:0] bound = bounds[beat_r];
    wire [LANES-1:0] bits;

    always @(posedge i_clk) begin
        if (i_valid && o_ready) beat_r <= beat_r == LAST[AW-1:0] ? {AW{1'b0}} : beat_r + 1'b1;
        if (i_rst) beat_r <= {AW{1'b0}};
    end

    genvar l;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire signed [W:0] x = {i_data[l*W+W-1], i_data[l*W +: W]};
            wire signed [W:0] t = bound[l*(W+1) +: W+1];
            assign bits[l] = x >= t;
        end
    endgenerate

    bnn_slice #(.W(LANES)) slice (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(i_valid), .i_data(bits), .o_ready(o_ready),
        .o_valid(o_valid), .o_data(o_data), .i_ready(i_ready));
endmodule
`default_nettype wire
