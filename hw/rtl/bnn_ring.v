// SPDX-License-Identifier: Apache-2.0
// DEPTH words in a ring: o_head is what was pushed DEPTH pushes ago. Before so many pushes it is anything.
//
// A short or narrow ring is a shift register. A larger one is a memory with one port to read and one to write, which reads
// the next head while this one's place is written; the two addresses differ, since DEPTH is at least 2.
`default_nettype none
module bnn_ring #(
    parameter W      = 4,
    parameter DEPTH  = 16,
    parameter MEMORY = 0
) (
    input  wire         i_clk,
    input  wire         i_rst,
    input  wire         i_push,
    input  wire [W-1:0] i_data,
    output wire [W-1:0] o_head
);

    generate
        if (DEPTH == 1) begin : g_one
            reg [W-1:0] data_r;
            assign o_head = data_r;
            always @(posedge i_clk) if (i_push) data_r <= i_data;
            wire unused = i_rst;
        end else if (MEMORY == 0) begin : g_shift
            reg [DEPTH*W-1:0] data_r;
            assign o_head = data_r[W-1:0];
            always @(posedge i_clk) if (i_push) data_r <= {i_data, data_r[DEPTH*W-1:W]};
            wire unused = i_rst;
        end else begin : g_memory
            localparam AW = $clog2(DEPTH);
            localparam [31:0] LAST = DEPTH - 1;
            reg [W-1:0]   memory_r [0:DEPTH-1];
            reg [W-1:0]   head_r;
            reg [AW-1:0]  place_r;
            wire [AW-1:0] next = place_r == LAST[AW-1:0] ? {AW{1'b0}} : place_r + 1'b1;
            assign o_head = head_r;
            always @(posedge i_clk) begin
                if (i_push) begin
                    memory_r[place_r] <= i_data;
                    head_r  <= memory_r[next];
                    place_r <= next;
                end
                if (i_rst) place_r <= {AW{1'b0}};
            end
        end
    endgenerate
endmodule
`default_nettype wire
