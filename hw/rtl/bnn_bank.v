// SPDX-License-Identifier: Apache-2.0
// One bank of samples with one port: block RAM, or where HUGE = 1 one of the large single-port RAMs of an iCE40 UP5K.
`default_nettype none
module bnn_bank #(
    parameter LENGTH = 3600,
    parameter AW     = 12,
    parameter HUGE   = 0
) (
    input  wire          i_clk,
    input  wire          i_write,
    input  wire          i_read,
    input  wire [AW-1:0] i_addr,
    input  wire [15:0]   i_data,
    output wire [15:0]   o_data
);

    reg [15:0] data_r;

    assign o_data = data_r;

    generate
        if (HUGE != 0) begin : g_huge
            (* ram_style = "huge" *)
            reg [15:0] memory_r [0:LENGTH-1];
            always @(posedge i_clk) begin
                if (i_write) memory_r[i_addr] <= i_data;
                else if (i_read) data_r <= memory_r[i_addr];
            end
        end else begin : g_block
            (* ram_style = "block" *)
            reg [15:0] memory_r [0:LENGTH-1];
            always @(posedge i_clk) begin
                if (i_write) memory_r[i_addr] <= i_data;
                else if (i_read) data_r <= memory_r[i_addr];
            end
        end
    endgenerate
endmodule
`default_nettype wire
