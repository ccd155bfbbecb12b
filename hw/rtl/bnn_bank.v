// SPDX-License-Identifier: Apache-2.0
// One bank of samples with one port, so that it becomes block RAM, or one single-port RAM of an iCE40 UP5K.
`default_nettype none
module bnn_bank #(
    parameter LENGTH = 3600,
    parameter AW     = 12
) (
    input  wire          i_clk,
    input  wire          i_write,
    input  wire          i_read,
    input  wire [AW-1:0] i_addr,
    input  wire [15:0]   i_data,
    output wire [15:0]   o_data
);

    reg [15:0] memory_r [0:LENGTH-1];
    reg [15:0] data_r;

    assign o_data = data_r;

    always @(posedge i_clk) begin
        if (i_write) memory_r[i_addr] <= i_data;
        else if (i_read) data_r <= memory_r[i_addr];
    end
endmodule
`default_nettype wire
