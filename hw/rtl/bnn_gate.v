// SPDX-License-Identifier: Apache-2.0
// The entropy of N logits, as ExitGate of the graph defines it: spread = S log S + sum e d below, full = S log N above.
//
// N + 1 rounds of six cycles share one multiplier. A round looks a place up in a table, where word i has the entry
// below and its distance from the next one above, and goes on between the two: first e of each logit, which is added
// to S and by its product with d to the spread, then log S. Sums are modulo 2^32, which holds them as the checker proves.
`default_nettype none
module bnn_gate #(
    parameter N        = 5,       // 2 to 32
    parameter FRAC     = 16,      // of the logits
    parameter ENTRIES  = 167,     // of exp, without the last one, which is 0; at most 1023
    parameter OCTAVE   = 11357,   // log 2 in units of 2^-14
    parameter FULL     = 1648,    // log N in units of 2^-10
    parameter MEMORY   = 1,       // 1: logits wait in a memory, 0: in a shift register
    parameter EXP_FILE = "",
    parameter LOG_FILE = ""
) (
    input  wire        i_clk,
    input  wire        i_rst,
    input  wire        i_valid,
    input  wire [31:0] i_data,
    output wire        o_ready,
    output wire        o_valid,
    output wire [63:0] o_data,
    input  wire        i_ready
);

    localparam [31:0] LAST = N - 1;
    localparam [31:0] DOWN = FRAC > 10 ? FRAC - 10 : 0;
    localparam [31:0] UP   = FRAC < 10 ? 10 - FRAC : 0;
    localparam [31:0] PLACES = ENTRIES << 6;
    localparam [31:0] LOG_2 = OCTAVE;
    localparam [31:0] LOG_N = FULL;
    localparam AW = $clog2(ENTRIES + 1);

    reg [4:0]         row_r;
    reg [2:0]         step_r;
    reg               busy_r, ends_r, valid_r;   // ends: the last round, of log S
    reg signed [31:0] most_r;
    reg [15:0]        place_r;                   // d in units of 2^-10, or the mantissa of S, 14 bits
    reg [2:0]         octaves_r;
    reg [19:0]        total_r;
    reg [14:0]        value_r;                   // e, or log S in units of 2^-10
    reg [31:0]        product_r, spread_r;

    wire        take = i_valid && o_ready;
    wire        last = row_r == LAST[4:0];
    wire [31:0] logit;
    wire [29:0] exp_word, log_word;
    wire [14:0] entry = ends_r ? log_word[14:0] : exp_word[14:0];
    wire [14:0] slope = ends_r ? log_word[29:15] : exp_word[29:15];

    // A place in either table.
    wire [31:0] below    = most_r - logit;       // modulo 2^32 it is exact
    wire [41:0] distance = ({10'd0, below} << UP) >> DOWN;
    wire [2:0]  octaves  = total_r[19] ? 3'd5 : total_r[18] ? 3'd4 : total_r[17] ? 3'd3 :
                           total_r[16] ? 3'd2 : total_r[15] ? 3'd1 : 3'd0;
    wire [19:0] mantissa = total_r >> octaves;

    // What is there, between two entries.
    wire [14:0] e = entry - product_r[20:6];
    wire [17:0] log_wide = (octaves_r[0] ? LOG_2[17:0] : 18'd0) + (octaves_r[1] ? LOG_2[17:0] << 1 : 18'd0) +
                           (octaves_r[2] ? LOG_2[17:0] << 2 : 18'd0) + {3'd0, entry} + {3'd0, product_r[23:9]} + 18'd8;

    // The multiplier: slope times rest, e times d or S log S, S log N.
    wire [15:0] rest  = ends_r ? {7'd0, place_r[8:0]} : {10'd0, place_r[5:0]};
    wire [19:0] left  = step_r == 3'd2 ? {5'd0, slope} : step_r == 3'd4 && !ends_r ? {5'd0, value_r} : total_r;
    wire [15:0] right = step_r == 3'd2 ? rest : step_r != 3'd4 ? LOG_N[15:0] : ends_r ? {1'b0, value_r} : place_r;
    wire [35:0] product = left * right;

    assign o_ready = !busy_r && !valid_r;
    assign o_valid = valid_r;
    assign o_data  = {product_r, spread_r};

    bnn_ring #(.W(32), .DEPTH(N), .MEMORY(MEMORY)) logits (
        .i_clk(i_clk), .i_rst(i_rst), .i_push(take || (busy_r && step_r == 3'd0 && !ends_r)), .i_data(i_data),
        .o_head(logit));
    bnn_rom #(.W(30), .DEPTH(ENTRIES + 1), .AW(AW), .BLOCK(1), .FILE(EXP_FILE)) exp (
        .i_clk(i_clk), .i_read(busy_r), .i_addr(place_r[AW+5:6]), .o_data(exp_word));
    bnn_rom #(.W(30), .DEPTH(32), .AW(5), .BLOCK(1), .FILE(LOG_FILE)) log (
        .i_clk(i_clk), .i_read(busy_r), .i_addr(place_r[13:9]), .o_data(log_word));

    always @(posedge i_clk) begin
        if (take) begin
            row_r    <= last ? 5'd0 : row_r + 5'd1;
            busy_r   <= last;
            most_r   <= row_r == 5'd0 || $signed(i_data) > most_r ? i_data : most_r;
            total_r  <= 20'd0;
            spread_r <= 32'd0;
        end
        if (busy_r) begin
            step_r    <= step_r == 3'd5 ? 3'd0 : step_r + 3'd1;
            product_r <= product[31:0];
            case (step_r)
                3'd0: begin
                    place_r   <= ends_r ? {2'b00, mantissa[13:0]} : distance < {10'd0, PLACES} ? distance[15:0] : PLACES[15:0];
                    octaves_r <= octaves;
                end
                3'd3: begin
                    value_r <= ends_r ? {1'b0, log_wide[17:4]} : e;
                    if (!ends_r) total_r <= total_r + {5'd0, e};
                end
                3'd5: begin
                    spread_r <= spread_r + product_r;
                    row_r    <= last || ends_r ? 5'd0 : row_r + 5'd1;
                    ends_r   <= last && !ends_r;
                    busy_r   <= !ends_r;
                    valid_r  <= ends_r;
                end
                default: ;
            endcase
        end
        if (valid_r && i_ready) valid_r <= 1'b0;
        if (i_rst) begin
            row_r   <= 5'd0;
            step_r  <= 3'd0;
            busy_r  <= 1'b0;
            ends_r  <= 1'b0;
            valid_r <= 1'b0;
        end
    end

    wire unused = &{1'b0, mantissa[19:14], log_wide[3:0], product[35:32]};
endmodule
`default_nettype wire
