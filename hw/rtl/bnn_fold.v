// SPDX-License-Identifier: Apache-2.0
// A window as the parts that a folded convolution reads: all PARTS of it, ROUNDS times over, while the window stays.
`default_nettype none
module bnn_fold #(
    parameter TAPS   = 56,
    parameter BITS   = 56,
    parameter ROUNDS = 4
) (
    input  wire            i_clk,
    input  wire            i_rst,
    input  wire            i_valid,
    input  wire [TAPS-1:0] i_data,
    output wire            o_ready,
    output wire            o_valid,
    output wire [BITS-1:0] o_data,
    input  wire            i_ready
);

    localparam PARTS = TAPS / BITS;
    localparam PW = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam RW = ROUNDS > 1 ? $clog2(ROUNDS) : 1;
    localparam [31:0] LAST_PART  = PARTS - 1;
    localparam [31:0] LAST_ROUND = ROUNDS - 1;

    reg [PW-1:0] part_r;
    reg [RW-1:0] round_r;
    wire         all = part_r == LAST_PART[PW-1:0];
    wire         end_round = round_r == LAST_ROUND[RW-1:0];

    assign o_valid = i_valid;
    assign o_data  = i_data[part_r*BITS +: BITS];
    assign o_ready = i_ready && all && end_round;

    always @(posedge i_clk) begin
        if (i_valid && i_ready) begin
            part_r <= all ? {PW{1'b0}} : part_r + 1'b1;
            if (all) round_r <= end_round ? {RW{1'b0}} : round_r + 1'b1;
        end
        if (i_rst) begin
            part_r  <= {PW{1'b0}};
            round_r <= {RW{1'b0}};
        end
    end
endmodule
`default_nettype wire
