// SPDX-License-Identifier: Apache-2.0
// Windows of a convolution out of a memory, part by part: bnn_slide and bnn_fold in one, for layers folded so far that a
// part is a whole step or a piece of one. Steps come as WORDS words of BITS bits, pads are written among them.
//
// The memory is a ring of 2^AW words, with the current window at base_r and count_r words from there on. A window of
// KERNEL steps is read ROUNDS times; then base_r moves on by STRIDE steps, after the last window of the map by all that is left.
`default_nettype none
module bnn_replay #(
    parameter                  BITS      = 8,
    parameter                  WORDS     = 1,
    parameter                  STEPS     = 100,
    parameter                  KERNEL    = 7,
    parameter                  STRIDE    = 1,
    parameter                  PAD       = 5,
    parameter                  ROUNDS    = 16,
    parameter [WORDS*BITS-1:0] PAD_VALUE = {(WORDS*BITS){1'b1}}
) (
    input  wire            i_clk,
    input  wire            i_rst,
    input  wire            i_valid,
    input  wire [BITS-1:0] i_data,
    output wire            o_ready,
    output wire            o_valid,
    output wire [BITS-1:0] o_data,
    input  wire            i_ready
);

    localparam TOTAL = STEPS + 2 * PAD;
    localparam POSITIONS = (TOTAL - KERNEL) / STRIDE + 1;
    localparam AW = $clog2((KERNEL + STRIDE) * WORDS);
    localparam WW = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam SW = $clog2(TOTAL + 1);
    localparam PW = $clog2(POSITIONS + 1);
    localparam RW = ROUNDS > 1 ? $clog2(ROUNDS) : 1;
    localparam [31:0] ROOM       = 1 << AW;
    localparam [31:0] WINDOW     = KERNEL * WORDS;
    localparam [31:0] MOVE       = STRIDE * WORDS;
    localparam [31:0] REST       = (TOTAL - (POSITIONS - 1) * STRIDE) * WORDS;
    localparam [31:0] LAST_WORD  = WORDS - 1;
    localparam [31:0] LAST_STEP  = TOTAL - 1;
    localparam [31:0] FIRST      = PAD;
    localparam [31:0] BEHIND     = PAD + STEPS;
    localparam [31:0] LAST_PART  = KERNEL * WORDS - 1;
    localparam [31:0] LAST_ROUND = ROUNDS - 1;
    localparam [31:0] LAST_PLACE = POSITIONS - 1;

    (* ram_style = "block" *)   // however short: in flip-flops it would take a multiplexer as well
    reg [BITS-1:0] memory_r [0:(1<<AW)-1];

    // Writing: the words of all steps, pads included.
    reg [AW-1:0]    write_r;
    reg [WW-1:0]    word_r;
    reg [SW-1:0]    step_r;
    reg [AW:0]      count_r;
    reg             pad_r;    // step_r is one of the pads: known a step ahead, since o_ready depends on it
    wire            room  = count_r != ROOM[AW:0];
    wire            write = room && (pad_r || i_valid);
    wire [BITS-1:0] value = pad_r ? PAD_VALUE[word_r*BITS +: BITS] : i_data;

    assign o_ready = room && !pad_r;

    always @(posedge i_clk) begin
        if (write) begin
            memory_r[write_r] <= value;
            write_r <= write_r + 1'b1;
            word_r  <= word_r == LAST_WORD[WW-1:0] ? {WW{1'b0}} : word_r + 1'b1;
            if (word_r == LAST_WORD[WW-1:0]) begin
                step_r <= step_r == LAST_STEP[SW-1:0] ? {SW{1'b0}} : step_r + 1'b1;
                pad_r  <= PAD != 0 && (step_r == LAST_STEP[SW-1:0] || step_r + 2'd2 <= FIRST[SW-1:0]
                                       || step_r + 1'b1 >= BEHIND[SW-1:0]);
            end
        end
        if (i_rst) begin
            write_r <= {AW{1'b0}};
            word_r  <= {WW{1'b0}};
            step_r  <= {SW{1'b0}};
            pad_r   <= PAD != 0;
        end
    end

    // Reading: all parts of a window, once a round. A window is read when all words that leave with it are there.
    reg [AW-1:0]   base_r, part_r;
    reg [RW-1:0]   round_r;
    reg [PW-1:0]   place_r;
    reg            valid_r;
    reg [BITS-1:0] data_r;
    wire           final_place = place_r == LAST_PLACE[PW-1:0];
    wire [AW:0]    need  = final_place ? REST[AW:0] : WINDOW[AW:0];
    wire [AW:0]    leave = final_place ? REST[AW:0] : MOVE[AW:0];
    wire           read  = (!valid_r || i_ready) && count_r >= need;
    wire           all   = part_r == LAST_PART[AW-1:0];
    wire           done  = read && all && round_r == LAST_ROUND[RW-1:0];
    wire [AW-1:0]  place = base_r + part_r;

    assign o_valid = valid_r;
    assign o_data  = data_r;

    always @(posedge i_clk) begin
        if (!valid_r || i_ready) valid_r <= read;
        if (read) begin
            data_r <= memory_r[place];
            part_r <= all ? {AW{1'b0}} : part_r + 1'b1;
            if (all) round_r <= round_r == LAST_ROUND[RW-1:0] ? {RW{1'b0}} : round_r + 1'b1;
        end
        if (done) begin
            base_r  <= base_r + leave[AW-1:0];
            place_r <= final_place ? {PW{1'b0}} : place_r + 1'b1;
        end
        count_r <= count_r + {{AW{1'b0}}, write} - (done ? leave : {(AW+1){1'b0}});
        if (i_rst) begin
            valid_r <= 1'b0;
            part_r  <= {AW{1'b0}};
            round_r <= {RW{1'b0}};
            place_r <= {PW{1'b0}};
            base_r  <= {AW{1'b0}};
            count_r <= {(AW+1){1'b0}};
        end
    end
endmodule
`default_nettype wire
