// SPDX-License-Identifier: Apache-2.0
// Answers as a row of bytes.
//
//   answer = SYNC, status, class, CLASSES logits of four bytes each, CRC-16 of all after SYNC (high byte, low byte)
//
// status is 0; any other is the reason of a failure, and then class and logits are left out. i_class and i_logits are
// not stored: they must keep still from i_valid to o_done, as a stream does that is not answered before.
`default_nettype none

module frame_tx #(
    parameter CLASSES = 5,
    parameter [7:0] SYNC = 8'h5a
) (
    input  wire                  i_clk,
    input  wire                  i_rst,
    input  wire                  i_valid,
    input  wire [2:0]            i_status,
    input  wire [7:0]            i_class,
    input  wire [32*CLASSES-1:0] i_logits,
    output reg                   o_done,       // one clock: the last byte was taken
    output wire                  o_byte_valid,
    output wire [7:0]            o_byte,
    input  wire                  i_byte_ready
);
    localparam LOGITS = 3, CRC = LOGITS + 4 * CLASSES; // where they begin; before them are SYNC, status, class
    localparam WIDTH = $clog2(CRC + 2);
    localparam [WIDTH-1:0] END = CRC + 1;

    reg busy_r;
    reg [WIDTH-1:0] index_r;
    wire [15:0] crc;
    wire [32*CLASSES+7:0] body = {i_logits, i_class};
    wire taken = busy_r && i_byte_ready;
    wire tail = index_r >= CRC;
    wire short = index_r == 1 && i_status != 0;

    assign o_byte_valid = busy_r;
    assign o_byte = index_r == 0 ? SYNC : index_r == 1 ? {5'b0, i_status}
                  : tail ? (index_r == END ? crc[7:0] : crc[15:8]) : body[8 * (index_r - 2) +: 8];

    crc16 u_crc (
        .i_clk(i_clk), .i_clear(index_r == 0), .i_valid(taken && index_r != 0 && !tail), .i_data(o_byte), .o_crc(crc)
    );

    always @(posedge i_clk) begin
        o_done <= taken && index_r == END;
        if (!busy_r) begin
            index_r <= 0;
            busy_r <= i_valid && !o_done;
        end else if (taken) begin
            index_r <= short ? CRC : index_r + 1'b1;
            busy_r <= index_r != END;
        end
        if (i_rst) {busy_r, o_done} <= 0;
    end
endmodule

`default_nettype wire
