// SPDX-License-Identifier: Apache-2.0
// y = round((m x + b) / 2^SHIFT), held between LO and HI, lane by lane. Beat f of a step has channels f LANES + l; word f of the
// image has their m in 16 bits and, above it, their b in 32.
//
// Half a step is added before the shift, so halves go up. Four registers: value and factors, product, sum, what is held.
// They move together, whenever the beat at the end is taken or there is none.
`default_nettype none
module bnn_scale #(
    parameter               LANES = 4,
    parameter               FOLD  = 4,
    parameter               W     = 24,
    parameter               OW    = 8,
    parameter               SHIFT = 8,
    parameter signed [31:0] LO    = -128,
    parameter signed [31:0] HI    = 127,
    parameter               BLOCK = 0,
    parameter               FILE  = ""
) (
    input  wire                i_clk,
    input  wire                i_rst,
    input  wire                i_valid,
    input  wire [LANES*W-1:0]  i_data,
    output wire                o_ready,
    output wire                o_valid,
    output wire [LANES*OW-1:0] o_data,
    input  wire                i_ready
);

    localparam AW = FOLD > 1 ? $clog2(FOLD) : 1;
    localparam [31:0] LAST = FOLD - 1;
    localparam PW = W + 16;
    localparam SW = (PW > 33 ? PW : 33) + 1;
    localparam signed [SW-1:0] HALF = SHIFT > 0 ? {{(SW-1){1'b0}}, 1'b1} << (SHIFT > 0 ? SHIFT - 1 : 0) : {SW{1'b0}};

    reg [AW-1:0]      beat_r;
    reg [3:0]         valid_r;
    reg [LANES*W-1:0] x_r;
    wire              enable = !valid_r[3] || i_ready;
    wire [LANES*48-1:0] factors;

    assign o_ready = enable;
    assign o_valid = valid_r[3];

    always @(posedge i_clk) begin
        if (enable) begin
            valid_r <= {valid_r[2:0], i_valid};
            x_r     <= i_data;
            if (i_valid) beat_r <= beat_r == LAST[AW-1:0] ? {AW{1'b0}} : beat_r + 1'b1;
        end
        if (i_rst) begin
            valid_r <= 4'b0000;
            beat_r  <= {AW{1'b0}};
        end
    end

    bnn_rom #(.W(LANES * 48), .DEPTH(FOLD), .AW(AW), .BLOCK(BLOCK), .FILE(FILE)) rom (
        .i_clk(i_clk), .i_read(enable), .i_addr(beat_r), .o_data(factors));

    genvar l;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire signed [W-1:0]  x = x_r[l*W +: W];
            wire signed [15:0]   m = factors[l*48 +: 16];
            reg  signed [PW-1:0] product_r;
            reg  signed [31:0]   offset_r;
            reg  signed [SW-1:0] sum_r;
            wire signed [SW-1:0] steps = sum_r >>> SHIFT;
            wire                 low  = steps < $signed({{(SW-32){LO[31]}}, LO[31:0]});
            wire                 high = steps > $signed({{(SW-32){HI[31]}}, HI[31:0]});
            reg  [OW-1:0]        held_r;

            always @(posedge i_clk) if (enable) begin
                product_r <= x * m;
                offset_r  <= factors[l*48+16 +: 32];
                sum_r     <= {{(SW-PW){product_r[PW-1]}}, product_r} + {{(SW-32){offset_r[31]}}, offset_r} + HALF;
                held_r    <= low ? LO[OW-1:0] : high ? HI[OW-1:0] : steps[OW-1:0];
            end
            assign o_data[l*OW +: OW] = held_r;
        end
    endgenerate
endmodule
`default_nettype wire
