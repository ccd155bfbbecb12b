// SPDX-License-Identifier: Apache-2.0
// A network behind a serial line: frames of samples in, answers out (frame_rx.v, frame_tx.v), one at a time.
//
// The network reads samples while the frame comes in. Its result is fetched only when the CRC was right; otherwise the
// network is reset, which makes it forget the samples, and the answer holds the reason.
//
//   DIV      clocks a bit of the line
//   TIMEOUT  clocks of silence that end a frame
`default_nettype none

module uart_front #(
    parameter SAMPLES = 3600,
    parameter CLASSES = 5,
    parameter DIV = 104,
    parameter TIMEOUT = 1200000
) (
    input  wire                  i_clk,
    input  wire                  i_rst,
    input  wire                  i_rx,
    output wire                  o_tx,
    output wire                  o_busy,      // from a good frame to the end of its answer
    output wire                  o_net_rst,
    output wire                  o_net_valid,
    output wire [15:0]           o_net_data,
    input  wire                  i_net_ready,
    input  wire                  i_net_valid,
    output wire                  o_net_ready,
    input  wire [7:0]            i_net_class,
    input  wire [32*CLASSES-1:0] i_net_logits
);
    wire rx_valid, rx_error, tx_valid, tx_ready, done, fail, sent;
    wire [7:0] rx_byte, tx_byte;
    wire [2:0] reason;
    reg wait_r;          // for the network's result
    reg [2:0] status_r;  // not 0: an error to be told

    uart_rx #(.DIV(DIV)) u_rx (
        .i_clk(i_clk), .i_rst(i_rst), .i_rx(i_rx), .o_valid(rx_valid), .o_data(rx_byte), .o_error(rx_error)
    );
    frame_rx #(.SAMPLES(SAMPLES), .TIMEOUT(TIMEOUT)) u_frame_rx (
        .i_clk(i_clk), .i_rst(i_rst), .i_hold(o_busy), .i_byte_valid(rx_valid), .i_byte_error(rx_error),
        .i_byte(rx_byte), .o_valid(o_net_valid), .o_data(o_net_data), .i_ready(i_net_ready),
        .o_done(done), .o_fail(fail), .o_reason(reason)
    );
    frame_tx #(.CLASSES(CLASSES)) u_frame_tx (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(wait_r && i_net_valid || status_r != 0), .i_status(status_r),
        .i_class(i_net_class), .i_logits(i_net_logits), .o_done(sent), .o_byte_valid(tx_valid), .o_byte(tx_byte),
        .i_byte_ready(tx_ready)
    );
    uart_tx #(.DIV(DIV)) u_tx (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(tx_valid), .i_data(tx_byte), .o_ready(tx_ready), .o_tx(o_tx)
    );

    assign o_busy = wait_r || status_r != 0;
    assign o_net_rst = i_rst || fail;
    assign o_net_ready = wait_r && sent;

    always @(posedge i_clk) begin
        if (done) wait_r <= 1'b1;
        if (fail) status_r <= reason;
        if (sent) begin
            wait_r <= 1'b0;
            status_r <= 0;
        end
        if (i_rst) begin
            wait_r <= 1'b0;
            status_r <= 0;
        end
    end
endmodule

`default_nettype wire
