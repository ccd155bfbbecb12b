// SPDX-License-Identifier: Apache-2.0
// Two banks: one takes the samples of the next window while the other is read, as often as its reader likes.
//
// The reader learns from elsewhere that a window is complete (its statistics are there), reads sample i_addr
// one cycle after i_read, and says i_done when it is done with the window.
`default_nettype none
module bnn_frame #(
    parameter LENGTH = 3600,
    parameter AW     = 12,
    parameter HUGE   = 0
) (
    input  wire          i_clk,
    input  wire          i_rst,
    input  wire          i_valid,
    input  wire [15:0]   i_data,
    output wire          o_ready,
    input  wire          i_read,
    input  wire [AW-1:0] i_addr,
    output wire [15:0]   o_sample,
    input  wire          i_done
);

    localparam [31:0] LAST = LENGTH - 1;

    reg          write_bank_r;
    reg          read_bank_r;
    reg  [1:0]   full_r;
    reg [AW-1:0] addr_r;
    wire         write   = i_valid && o_ready;
    wire         write_0 = write && !write_bank_r;
    wire         write_1 = write && write_bank_r;
    wire [15:0]  data_0;
    wire [15:0]  data_1;

    assign o_ready  = write_bank_r ? !full_r[1] : !full_r[0];
    assign o_sample = read_bank_r ? data_1 : data_0;

    always @(posedge i_clk) begin
        if (write) addr_r <= addr_r == LAST[AW-1:0] ? {AW{1'b0}} : addr_r + 1'b1;
        if (write && addr_r == LAST[AW-1:0]) begin
            full_r[write_bank_r] <= 1'b1;
            write_bank_r <= !write_bank_r;
        end
        if (i_done) begin
            full_r[read_bank_r] <= 1'b0;
            read_bank_r <= !read_bank_r;
        end
        if (i_rst) begin
            addr_r <= {AW{1'b0}};
            full_r <= 2'b00;
            write_bank_r <= 1'b0;
            read_bank_r <= 1'b0;
        end
    end

    bnn_bank #(.LENGTH(LENGTH), .AW(AW), .HUGE(HUGE)) bank_0 (
        .i_clk(i_clk), .i_write(write_0), .i_read(i_read && !read_bank_r),
        .i_addr(write_0 ? addr_r : i_addr), .i_data(i_data), .o_data(data_0));

    bnn_bank #(.LENGTH(LENGTH), .AW(AW), .HUGE(HUGE)) bank_1 (
        .i_clk(i_clk), .i_write(write_1), .i_read(i_read && read_bank_r),
        .i_addr(write_1 ? addr_r : i_addr), .i_data(i_data), .o_data(data_1));
endmodule
`default_nettype wire
