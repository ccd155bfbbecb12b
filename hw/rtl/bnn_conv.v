// SPDX-License-Identifier: Apache-2.0
// Binary convolution of windows that come in parts: acc[o] = sum_i w[o][i] x[i], factors -1 and +1 as bits 0 and 1.
//
//     acc = 2 m - TAPS     for m taps where weight and input agree, since each of these adds 1 and each other takes 1
//
// Folded: LANES outputs at once, BITS taps at once. The PARTS = TAPS / BITS parts of a window come ROWS / LANES times; round
// f of them gives one beat, with output f LANES + l in lane l. Word f PARTS + p of the weights has tap p BITS + b of
// lane l at bit l BITS + b.
//
// Five registers lie between part and beat: part and weights, agreement, counts of groups, counts, sums. Agreement has one of
// its own because a block RAM gives its word late in the cycle (5.8 ns on an ECP5). They move together,
// whenever the beat at the end is taken or there is none.
`default_nettype none
module bnn_conv #(
    parameter ROWS  = 16,
    parameter TAPS  = 56,
    parameter LANES = 4,
    parameter BITS  = 56,
    parameter W     = 7,     // bits of a sum: holds -TAPS .. TAPS
    parameter BLOCK = 0,
    parameter GROUP = 28,
    parameter FILE  = ""
) (
    input  wire               i_clk,
    input  wire               i_rst,
    input  wire               i_valid,
    input  wire [BITS-1:0]    i_data,
    output wire               o_ready,
    output wire               o_valid,
    output wire [LANES*W-1:0] o_data,
    input  wire               i_ready
);

    localparam PARTS = TAPS / BITS;
    localparam DEPTH = (ROWS / LANES) * PARTS;
    localparam AW = DEPTH > 1 ? $clog2(DEPTH) : 1;
    localparam PW = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam CW = $clog2(BITS + 1);
    localparam [31:0] LAST_WORD = DEPTH - 1;
    localparam [31:0] LAST_PART = PARTS - 1;
    localparam [31:0] BASE = -TAPS;

    reg [AW-1:0]   word_r;
    reg [PW-1:0]   part_r;
    reg [BITS-1:0] x_r;
    reg [4:0]      valid_r, last_r;   // of the registers
    reg [3:0]      first_r;
    wire           enable = !o_valid || i_ready;
    wire           start = part_r == {PW{1'b0}};
    wire           done  = part_r == LAST_PART[PW-1:0];
    wire [LANES*BITS-1:0] weights;

    assign o_ready = enable;
    assign o_valid = valid_r[4] && last_r[4];

    always @(posedge i_clk) begin
        if (enable) begin
            x_r     <= i_data;
            valid_r <= {valid_r[3:0], i_valid};
            first_r <= {first_r[2:0], start};
            last_r  <= {last_r[3:0], done};
            if (i_valid) begin
                part_r <= done ? {PW{1'b0}} : part_r + 1'b1;
                word_r <= word_r == LAST_WORD[AW-1:0] ? {AW{1'b0}} : word_r + 1'b1;
            end
        end
        if (i_rst) begin
            valid_r <= 5'b00000;
            part_r  <= {PW{1'b0}};
            word_r  <= {AW{1'b0}};
        end
    end

    bnn_rom #(.W(LANES * BITS), .DEPTH(DEPTH), .AW(AW), .BLOCK(BLOCK), .FILE(FILE)) rom (
        .i_clk(i_clk), .i_read(enable), .i_addr(word_r), .o_data(weights));

    genvar l;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire [CW-1:0]  count;
            reg [BITS-1:0] agree_r;
            reg [W-1:0]    sum_r;

            always @(posedge i_clk) if (enable) agree_r <= ~(x_r ^ weights[l*BITS +: BITS]);
            bnn_popcount #(.N(BITS), .GROUP(GROUP), .CW(CW)) popcount (
                .i_clk(i_clk), .i_enable(enable), .i_bits(agree_r), .o_count(count));

            wire [W-1:0] twice = {{(W-CW-1){1'b0}}, count, 1'b0};
            always @(posedge i_clk)
                if (enable && valid_r[3]) sum_r <= (first_r[3] ? BASE[W-1:0] : sum_r) + twice;
            assign o_data[l*W +: W] = sum_r;
        end
    endgenerate
endmodule
`default_nettype wire
