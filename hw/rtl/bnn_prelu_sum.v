// SPDX-License-Identifier: Apache-2.0
// y[c] = bias[c] + sum_t slope x[c, t], slope = rise[c] where x >= 0 and fall[c] where x < 0.
//
// One value a beat, channel after channel, step after step; the logits leave in that order during the last step.
// Sums are modulo 2^32, which holds every y. Word c of the image is {bias, fall, rise}. Two registers: value and
// slope, then their product; the sums are a ring of ROWS words.
`default_nettype none
module bnn_prelu_sum #(
    parameter ROWS  = 5,
    parameter STEPS = 27,
    parameter W     = 10,
    parameter MEMORY = 0,
    parameter FILE  = ""
) (
    input  wire         i_clk,
    input  wire         i_rst,
    input  wire         i_valid,
    input  wire [W-1:0] i_data,
    output wire         o_ready,
    output wire         o_valid,
    output wire [31:0]  o_data,
    input  wire         i_ready
);

    localparam AW = $clog2(ROWS + 1);
    localparam SW = $clog2(STEPS + 1);
    localparam PW = W + 16;
    localparam [31:0] LAST_ROW = ROWS - 1;
    localparam [31:0] LAST_STEP = STEPS - 1;

    (* rom_style = "logic", ram_style = "logic" *)
    reg [63:0] constants [0:ROWS-1];
    generate if (FILE != "") begin : g_contents initial $readmemh(FILE, constants); end endgenerate

    reg [AW-1:0]         row_r;
    reg [SW-1:0]         step_r;
    reg                  valid1_r, valid2_r;
    reg                  first1_r, first2_r, last1_r, last2_r;
    reg [31:0]           bias1_r, bias2_r;
    reg signed [W-1:0]   x_r;
    reg signed [15:0]    slope_r;
    reg signed [PW-1:0]  product_r;
    wire [63:0]          constant = constants[row_r];
    wire                 enable = !o_valid || i_ready;
    wire [31:0]          so_far;
    wire [31:0]          sum = (first2_r ? bias2_r : so_far) + product;
    wire [31:0]          product;

    assign o_ready = enable;
    assign o_valid = valid2_r && last2_r;
    assign o_data  = sum;

    generate
        if (PW >= 32) begin : g_wide
            assign product = product_r[31:0];
        end else begin : g_narrow
            assign product = {{(32-PW){product_r[PW-1]}}, product_r};
        end
    endgenerate

    bnn_ring #(.W(32), .DEPTH(ROWS), .MEMORY(MEMORY)) ring (
        .i_clk(i_clk), .i_rst(i_rst), .i_push(enable && valid2_r), .i_data(sum), .o_head(so_far));

    always @(posedge i_clk) begin
        if (enable) begin
            x_r       <= i_data;
            slope_r   <= i_data[W-1] ? constant[31:16] : constant[15:0];
            bias1_r   <= constant[63:32];
            first1_r  <= step_r == {SW{1'b0}};
            last1_r   <= step_r == LAST_STEP[SW-1:0];
            product_r <= x_r * slope_r;
            bias2_r   <= bias1_r;
            first2_r  <= first1_r;
            last2_r   <= last1_r;
            valid1_r  <= i_valid;
            valid2_r  <= valid1_r;
            if (i_valid) begin
                row_r <= row_r == LAST_ROW[AW-1:0] ? {AW{1'b0}} : row_r + 1'b1;
                if (row_r == LAST_ROW[AW-1:0]) step_r <= step_r == LAST_STEP[SW-1:0] ? {SW{1'b0}} : step_r + 1'b1;
            end
        end
        if (i_rst) begin
            row_r    <= {AW{1'b0}};
            step_r   <= {SW{1'b0}};
            valid1_r <= 1'b0;
            valid2_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
