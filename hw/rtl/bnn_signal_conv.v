// SPDX-License-Identifier: Apache-2.0
// The first layer: acc[o] = sum_k w[o][k] d[k] for binary weights and integers d of DW bits.
//
// LANES outputs a cycle, all KERNEL taps at once, so a window stays for ROWS / LANES cycles. Two registers: sums
// of neighbouring taps, then all of them. -d is taken as ~d + 1; the ones are added at the end, a constant of the row.
`default_nettype none
module bnn_signal_conv #(
    parameter ROWS   = 8,
    parameter KERNEL = 7,
    parameter LANES  = 4,
    parameter DW     = 21,
    parameter W      = 24,
    parameter FILE   = ""
) (
    input  wire                 i_clk,
    input  wire                 i_rst,
    input  wire                 i_valid,
    input  wire [KERNEL*DW-1:0] i_data,
    output wire                 o_ready,
    output wire                 o_valid,
    output wire [LANES*W-1:0]   o_data,
    input  wire                 i_ready
);

    localparam DEPTH = ROWS / LANES;
    localparam AW = DEPTH > 1 ? $clog2(DEPTH) : 1;
    localparam PAIRS = (KERNEL + 1) / 2;
    localparam PW = DW + 1;
    localparam [31:0] LAST = DEPTH - 1;

    (* rom_style = "logic", ram_style = "logic" *)
    reg [LANES*KERNEL-1:0] weights [0:DEPTH-1];
    generate if (FILE != "") begin : g_contents initial $readmemh(FILE, weights); end endgenerate

    reg [AW-1:0] round_r;
    reg [1:0]    valid_r;
    wire         enable = !valid_r[1] || i_ready;
    wire [LANES*KERNEL-1:0] signs = weights[round_r];

    assign o_ready = enable && round_r == LAST[AW-1:0];
    assign o_valid = valid_r[1];

    always @(posedge i_clk) begin
        if (enable) begin
            valid_r <= {valid_r[0], i_valid};
            if (i_valid) round_r <= round_r == LAST[AW-1:0] ? {AW{1'b0}} : round_r + 1'b1;
        end
        if (i_rst) begin
            valid_r <= 2'b00;
            round_r <= {AW{1'b0}};
        end
    end

    genvar l, p;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire [KERNEL-1:0]   plus = signs[l*KERNEL +: KERNEL];
            wire [PAIRS*PW-1:0] pairs;
            reg  [W-1:0]        ones_r, total, sum_r;
            integer j;

            for (p = 0; p < PAIRS; p = p + 1) begin : g_pair
                wire [DW-1:0] a = i_data[2*p*DW +: DW] ^ {DW{!plus[2*p]}};
                reg  [PW-1:0] pair_r;
                if (2 * p + 1 < KERNEL) begin : g_two
                    wire [DW-1:0] b = i_data[(2*p+1)*DW +: DW] ^ {DW{!plus[2*p+1]}};
                    always @(posedge i_clk) if (enable) pair_r <= {a[DW-1], a} + {b[DW-1], b};
                end else begin : g_one
                    always @(posedge i_clk) if (enable) pair_r <= {a[DW-1], a};
                end
                assign pairs[p*PW +: PW] = pair_r;
            end

            always @* begin
                total = ones_r;
                for (j = 0; j < PAIRS; j = j + 1)
                    total = total + {{(W-PW){pairs[j*PW+PW-1]}}, pairs[j*PW +: PW]};
            end

            integer k;
            reg [W-1:0] ones;
            always @* begin
                ones = {W{1'b0}};
                for (k = 0; k < KERNEL; k = k + 1) ones = ones + {{(W-1){1'b0}}, !plus[k]};
            end

            always @(posedge i_clk) if (enable) begin
                ones_r <= ones;
                sum_r  <= total;
            end
            assign o_data[l*W +: W] = sum_r;
        end
    endgenerate
endmodule
`default_nettype wire
