// SPDX-License-Identifier: Apache-2.0
// DEPTH words that wait, and one more at the way out.
`default_nettype none
module bnn_fifo #(
    parameter W     = 8,
    parameter DEPTH = 16
) (
    input  wire         i_clk,
    input  wire         i_rst,
    input  wire         i_valid,
    input  wire [W-1:0] i_data,
    output wire         o_ready,
    output wire         o_valid,
    output wire [W-1:0] o_data,
    input  wire         i_ready
);

    localparam AW = DEPTH > 1 ? $clog2(DEPTH) : 1;
    localparam NW = $clog2(DEPTH + 1);
    localparam [31:0] LAST = DEPTH - 1;
    localparam [31:0] ALL  = DEPTH;

    reg [W-1:0]  memory_r [0:DEPTH-1];
    reg [AW-1:0] write_r, read_r;
    reg [NW-1:0] count_r;
    reg          valid_r;
    reg [W-1:0]  data_r;
    wire         write = i_valid && o_ready;
    wire         read  = count_r != {NW{1'b0}} && (!valid_r || i_ready);

    assign o_ready = count_r != ALL[NW-1:0];
    assign o_valid = valid_r;
    assign o_data  = data_r;

    always @(posedge i_clk) begin
        if (write) begin
            memory_r[write_r] <= i_data;
            write_r <= write_r == LAST[AW-1:0] ? {AW{1'b0}} : write_r + 1'b1;
        end
        if (read) begin
            data_r <= memory_r[read_r];
            read_r <= read_r == LAST[AW-1:0] ? {AW{1'b0}} : read_r + 1'b1;
        end
        if (!valid_r || i_ready) valid_r <= read;
        count_r <= count_r + {{(NW-1){1'b0}}, write} - {{(NW-1){1'b0}}, read};
        if (i_rst) begin
            write_r <= {AW{1'b0}};
            read_r  <= {AW{1'b0}};
            count_r <= {NW{1'b0}};
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
