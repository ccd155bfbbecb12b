// SPDX-License-Identifier: Apache-2.0
// Receiver of an asynchronous serial line: 8 data bits, no parity, 1 stop bit, least significant bit first.
//
// A falling edge begins a byte. The line is read in the middle of each bit: DIV / 2 clocks after the edge, where it
// must still be low, then every DIV clocks. A byte whose stop bit is low is a framing error; the receiver then waits
// for the line to go high again, so a break gives one error and not many.
//
//   DIV      clocks a bit, at least 4
//   o_valid  one clock, with o_data;  o_error  one clock, in its stead
`default_nettype none

module uart_rx #(
    parameter DIV = 104
) (
    input  wire       i_clk,
    input  wire       i_rst,
    input  wire       i_rx,
    output reg        o_valid,
    output reg  [7:0] o_data,
    output reg        o_error
);
    localparam WIDTH = $clog2(DIV);
    localparam [WIDTH-1:0] BIT = DIV - 1, HALF = DIV / 2 - 1;
    localparam [3:0] IDLE = 0, START = 1, STOP = 10, BREAK = 11; // 2 to 9: the data bits

    reg [1:0] sync_r;
    reg [3:0] state_r;
    reg [WIDTH-1:0] count_r;
    wire rx = sync_r[1];
    wire middle = count_r == 0;

    always @(posedge i_clk) begin
        sync_r <= {sync_r[0], i_rx};
        count_r <= state_r == IDLE ? HALF : middle ? BIT : count_r - 1'b1;
        o_valid <= 1'b0;
        o_error <= 1'b0;
        case (state_r)
            IDLE: if (!rx) state_r <= START;
            START: if (middle) state_r <= rx ? IDLE : state_r + 1'b1;
            STOP: if (middle) begin
                o_valid <= rx;
                o_error <= !rx;
                state_r <= rx ? IDLE : BREAK;
            end
            BREAK: if (rx) state_r <= IDLE;
            default: if (middle) begin
                o_data <= {rx, o_data[7:1]};
                state_r <= state_r + 1'b1;
            end
        endcase
        if (i_rst) begin
            sync_r <= 2'b11;
            state_r <= IDLE;
            {o_valid, o_error} <= 2'b00;
        end
    end
endmodule

`default_nettype wire
