// SPDX-License-Identifier: Apache-2.0
// Bounds in units of the window: ceil(t std / 2^FRAC) for one channel after the other, held to W + 1 bits.
//
// Values have W bits, so a bound below all of them may become the least value and one above all of them 2^(W-1):
// the comparison stays what it was. ALWAYS and NEVER are given as these two from the start.
`default_nettype none
module bnn_bounds #(
    parameter ROWS = 8,
    parameter SW   = 21,    // bits of std, which is positive; the first is 0
    parameter FRAC = 11,
    parameter W    = 24,
    parameter FILE = ""
) (
    input  wire          i_clk,
    input  wire          i_rst,
    input  wire          i_valid,
    input  wire [SW-1:0] i_std,
    output wire          o_ready,
    output wire          o_valid,
    output wire [W:0]    o_data,
    input  wire          i_ready
);

    localparam AW = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam [31:0] LAST = ROWS - 1;
    localparam BW = 16 + SW;   // of t std, and of the rounding added to it
    localparam WIDE = BW > W + 2 ? BW : W + 2;
    localparam signed [BW-1:0]   ROUND = (1 << FRAC) - 1;
    localparam signed [WIDE-1:0] BOTTOM = {{(WIDE-W+1){1'b1}}, {(W-1){1'b0}}};
    localparam signed [WIDE-1:0] TOP = {{(WIDE-W){1'b0}}, 1'b1, {(W-1){1'b0}}};
    localparam signed [15:0] ALWAYS = 16'h8000;
    localparam signed [15:0] NEVER  = 16'h7fff;

    (* rom_style = "logic", ram_style = "logic" *)
    reg [15:0] t [0:ROWS-1];
    generate if (FILE != "") begin : g_contents initial $readmemh(FILE, t); end endgenerate

    reg [AW-1:0]            row_r;
    reg signed [15:0]       t1_r, t2_r;
    reg signed [BW-1:0]     product_r;
    reg [1:0]               valid_r;
    reg                     busy_r;
    wire                    enable = !valid_r[1] || i_ready;
    reg signed [SW-1:0]     std_r;
    wire signed [BW-1:0]    bound = (product_r + ROUND) >>> FRAC;
    wire signed [WIDE-1:0]  wide = {{(WIDE-BW+1){bound[BW-1]}}, bound[BW-2:0]};

    // The slots of the pipeline are: t1 (being read), product, and the bound that follows from it at once.
    wire low  = t2_r == ALWAYS || (t2_r != NEVER && wide < BOTTOM);
    wire high = t2_r == NEVER || (t2_r != ALWAYS && wide > TOP);

    assign o_ready = !busy_r && valid_r == 2'b00;
    assign o_valid = valid_r[1];
    assign o_data  = low ? BOTTOM[W:0] : high ? TOP[W:0] : wide[W:0];

    always @(posedge i_clk) begin
        if (o_ready) std_r <= i_std;
        if (enable) begin
            t1_r      <= t[row_r];
            t2_r      <= t1_r;
            product_r <= t1_r * std_r;
            valid_r   <= {valid_r[0], busy_r};
            if (busy_r) row_r <= row_r == LAST[AW-1:0] ? {AW{1'b0}} : row_r + 1'b1;
        end
        if (o_ready) busy_r <= i_valid;
        else if (enable && row_r == LAST[AW-1:0]) busy_r <= 1'b0;
        if (i_rst) begin
            busy_r  <= 1'b0;
            valid_r <= 2'b00;
            row_r   <= {AW{1'b0}};
        end
    end
endmodule
`default_nettype wire
