// SPDX-License-Identifier: Apache-2.0
// Windows of samples out of a row of bytes.
//
//   frame  = SYNC, SAMPLES times (low byte, high byte), CRC-16 of the samples' bytes (high byte, low byte)
//
// Samples are passed on as they come, so that no window is stored here; what was passed on is good only if o_done
// follows. Otherwise o_fail comes with a reason, and whoever took the samples must forget them. After either,
// everything up to the next SYNC is skipped. A frame that falls silent for TIMEOUT clocks has ended, so after a pause of
// that length the next SYNC is certainly read as one, whatever was sent before.
`default_nettype none

module frame_rx #(
    parameter SAMPLES = 3600,
    parameter TIMEOUT = 1200000,
    parameter [7:0] SYNC = 8'ha5
) (
    input  wire        i_clk,
    input  wire        i_rst,
    input  wire        i_hold,      // skip all bytes: an answer is on its way
    input  wire        i_byte_valid,
    input  wire        i_byte_error,
    input  wire [7:0]  i_byte,
    output reg         o_valid,     // a sample
    output reg  [15:0] o_data,
    input  wire        i_ready,
    output reg         o_done,      // one clock: the frame was good
    output reg         o_fail,      // one clock: it was not, for the reason
    output reg  [2:0]  o_reason
);
    localparam [2:0] BAD_CRC = 1, SILENT = 2, OVERRUN = 3, FRAMING = 4;
    localparam BYTES = 2 * SAMPLES + 2;
    localparam WIDTH = $clog2(BYTES), PATIENCE = $clog2(TIMEOUT);
    localparam [WIDTH-1:0] LAST = BYTES - 1, CRC = 2 * SAMPLES;
    localparam [PATIENCE-1:0] SILENCE = TIMEOUT - 1;

    reg inside_r, checked_r;
    reg [WIDTH-1:0] index_r;
    reg [PATIENCE-1:0] silent_r;
    reg [7:0] low_r;
    wire [15:0] crc;
    wire sample = inside_r && !checked_r && i_byte_valid && index_r[0] && index_r < CRC;
    wire overrun = sample && o_valid && !i_ready;
    wire silent = inside_r && silent_r == SILENCE;
    wire stop = !checked_r && (i_byte_error && inside_r || overrun || silent);
    wire fail = stop || checked_r && crc != 0;

    crc16 u_crc (
        .i_clk(i_clk), .i_clear(!inside_r), .i_valid(i_byte_valid && !checked_r), .i_data(i_byte), .o_crc(crc)
    );

    always @(posedge i_clk) begin
        o_done <= checked_r && crc == 0;
        o_fail <= fail;
        o_reason <= overrun ? OVERRUN : silent ? SILENT : checked_r ? BAD_CRC : FRAMING;
        checked_r <= 1'b0;
        silent_r <= i_byte_valid || !inside_r ? 0 : silent_r + 1'b1;
        if (o_valid && i_ready) o_valid <= 1'b0;
        if (!inside_r) begin
            index_r <= 0;
            inside_r <= i_byte_valid && i_byte == SYNC && !i_hold;
        end else if (i_byte_valid) begin
            index_r <= index_r + 1'b1;
            low_r <= i_byte;
            checked_r <= index_r == LAST && !stop;
        end
        if (sample) begin
            o_valid <= 1'b1;
            o_data <= {i_byte, low_r};
        end
        if (stop || checked_r) inside_r <= 1'b0;
        if (i_rst || fail) o_valid <= 1'b0;
        if (i_rst) begin
            {inside_r, checked_r, o_done, o_fail} <= 0;
        end
    end
endmodule

`default_nettype wire
