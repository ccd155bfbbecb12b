// SPDX-License-Identifier: Apache-2.0
// How many of N bits are 1, in two cycles: the counts of up to GROUP neighbours, then their sum.
//
// Both registers move only with i_enable; the caller keeps track of what is valid.
`default_nettype none
module bnn_popcount #(
    parameter N     = 56,
    parameter GROUP = 28,
    parameter CW    = 6     // bits of N
) (
    input  wire          i_clk,
    input  wire          i_enable,
    input  wire [N-1:0]  i_bits,
    output wire [CW-1:0] o_count
);

    localparam PARTS = (N + GROUP - 1) / GROUP;

    reg [CW-1:0] count_r;
    reg [CW-1:0] total;
    wire [PARTS*CW-1:0] parts;
    integer i;

    assign o_count = count_r;

    genvar g;
    generate
        for (g = 0; g < PARTS; g = g + 1) begin : g_part
            localparam M = (g + 1) * GROUP <= N ? GROUP : N - g * GROUP;
            wire [M-1:0] bits = i_bits[g*GROUP +: M];
            reg [CW-1:0] sum;
            reg [CW-1:0] sum_r;
            integer j;
            always @* begin
                sum = {CW{1'b0}};
                for (j = 0; j < M; j = j + 1) sum = sum + {{(CW-1){1'b0}}, bits[j]};
            end
            always @(posedge i_clk) if (i_enable) sum_r <= sum;
            assign parts[g*CW +: CW] = sum_r;
        end
    endgenerate

    always @* begin
        total = {CW{1'b0}};
        for (i = 0; i < PARTS; i = i + 1) total = total + parts[i*CW +: CW];
    end

    always @(posedge i_clk) if (i_enable) count_r <= total;
endmodule
`default_nettype wire
