// SPDX-License-Identifier: Apache-2.0
// FOLD beats become one, the first one lowest.
//
// With FLOWS = 0, o_ready depends on registers alone, which ends the chain of ready wires between two layers; after each FOLD
// beats it costs a cycle. With FLOWS = 1 the next beat comes while the last word leaves.
`default_nettype none
module bnn_gather #(
    parameter W     = 4,
    parameter FOLD  = 4,
    parameter FLOWS = 0
) (
    input  wire              i_clk,
    input  wire              i_rst,
    input  wire              i_valid,
    input  wire [W-1:0]      i_data,
    output wire              o_ready,
    output wire              o_valid,
    output wire [FOLD*W-1:0] o_data,
    input  wire              i_ready
);

    localparam AW = FOLD > 1 ? $clog2(FOLD) : 1;
    localparam [31:0] LAST = FOLD - 1;

    reg              valid_r;
    reg [AW-1:0]     beat_r;
    reg [FOLD*W-1:0] data_r;

    assign o_ready = !valid_r || (FLOWS != 0 && i_ready);
    assign o_valid = valid_r;
    assign o_data  = data_r;

    generate
        if (FOLD == 1) begin : g_one
            always @(posedge i_clk) if (i_valid && o_ready) data_r <= i_data;
        end else begin : g_more
            always @(posedge i_clk) if (i_valid && o_ready) data_r <= {i_data, data_r[FOLD*W-1:W]};
        end
    endgenerate

    always @(posedge i_clk) begin
        if (i_valid && o_ready) begin
            beat_r  <= beat_r == LAST[AW-1:0] ? {AW{1'b0}} : beat_r + 1'b1;
            valid_r <= beat_r == LAST[AW-1:0];
        end else if (i_ready) begin
            valid_r <= 1'b0;
        end
        if (i_rst) begin
            beat_r  <= {AW{1'b0}};
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
