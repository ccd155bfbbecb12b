// SPDX-License-Identifier: Apache-2.0
// A first layer on raw samples: acc[o] = sum_i w[o][i] x[i] for binary weights and integers x of DW bits, out of windows that
// come in parts.
//
// Folded as bnn_conv, with TAKES values in a part: word f PARTS + p of the weights has value p TAKES + b of lane l at bit
// l TAKES + b. Four registers: part and weights, sums of neighbouring values, sums of parts, sums. -x is taken as ~x + 1;
// the ones are added with the part.
`default_nettype none
module bnn_sign_conv #(
    parameter ROWS  = 16,
    parameter TAPS  = 128,
    parameter LANES = 4,
    parameter TAKES = 16,
    parameter DW    = 16,
    parameter W     = 24,    // bits of a sum: holds -TAPS 2^(DW-1) .. TAPS 2^(DW-1)
    parameter BLOCK = 0,
    parameter FILE  = ""
) (
    input  wire                i_clk,
    input  wire                i_rst,
    input  wire                i_valid,
    input  wire [TAKES*DW-1:0] i_data,
    output wire                o_ready,
    output wire                o_valid,
    output wire [LANES*W-1:0]  o_data,
    input  wire                i_ready
);

    localparam PARTS = TAPS / TAKES;
    localparam DEPTH = (ROWS / LANES) * PARTS;
    localparam AW = DEPTH > 1 ? $clog2(DEPTH) : 1;
    localparam CW = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam PAIRS = (TAKES + 1) / 2;
    localparam PW = DW + 1;
    localparam [31:0] LAST_WORD = DEPTH - 1;
    localparam [31:0] LAST_PART = PARTS - 1;

    reg [AW-1:0]       word_r;
    reg [CW-1:0]       part_r;
    reg [TAKES*DW-1:0] x_r;
    reg [3:0]          valid_r, last_r;   // of the registers
    reg [2:0]          first_r;
    wire               enable = !o_valid || i_ready;
    wire               start = part_r == {CW{1'b0}};
    wire               done  = part_r == LAST_PART[CW-1:0];
    wire [LANES*TAKES-1:0] weights;

    assign o_ready = enable;
    assign o_valid = valid_r[3] && last_r[3];

    always @(posedge i_clk) begin
        if (enable) begin
            x_r     <= i_data;
            valid_r <= {valid_r[2:0], i_valid};
            first_r <= {first_r[1:0], start};
            last_r  <= {last_r[2:0], done};
            if (i_valid) begin
                part_r <= done ? {CW{1'b0}} : part_r + 1'b1;
                word_r <= word_r == LAST_WORD[AW-1:0] ? {AW{1'b0}} : word_r + 1'b1;
            end
        end
        if (i_rst) begin
            valid_r <= 4'b0000;
            part_r  <= {CW{1'b0}};
            word_r  <= {AW{1'b0}};
        end
    end

    bnn_rom #(.W(LANES * TAKES), .DEPTH(DEPTH), .AW(AW), .BLOCK(BLOCK), .FILE(FILE)) rom (
        .i_clk(i_clk), .i_read(enable), .i_addr(word_r), .o_data(weights));

    genvar l, p;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire [TAKES-1:0]    plus = weights[l*TAKES +: TAKES];
            wire [PAIRS*PW-1:0] pairs;
            reg  [W-1:0]        ones, ones_r, total, total_r, sum_r;
            integer             j, k;

            for (p = 0; p < PAIRS; p = p + 1) begin : g_pair
                wire [DW-1:0] a = x_r[2*p*DW +: DW] ^ {DW{!plus[2*p]}};
                reg  [PW-1:0] pair_r;
                if (2 * p + 1 < TAKES) begin : g_two
                    wire [DW-1:0] b = x_r[(2*p+1)*DW +: DW] ^ {DW{!plus[2*p+1]}};
                    always @(posedge i_clk) if (enable) pair_r <= {a[DW-1], a} + {b[DW-1], b};
                end else begin : g_one
                    always @(posedge i_clk) if (enable) pair_r <= {a[DW-1], a};
                end
                assign pairs[p*PW +: PW] = pair_r;
            end

            always @* begin
                ones = {W{1'b0}};
                for (k = 0; k < TAKES; k = k + 1) ones = ones + {{(W-1){1'b0}}, !plus[k]};
            end

            always @* begin
                total = ones_r;
                for (j = 0; j < PAIRS; j = j + 1)
                    total = total + {{(W-PW){pairs[j*PW+PW-1]}}, pairs[j*PW +: PW]};
            end

            always @(posedge i_clk) if (enable) begin
                ones_r  <= ones;
                total_r <= total;
                if (valid_r[2]) sum_r <= (first_r[2] ? {W{1'b0}} : sum_r) + total_r;
            end
            assign o_data[l*W +: W] = sum_r;
        end
    endgenerate
endmodule
`default_nettype wire
