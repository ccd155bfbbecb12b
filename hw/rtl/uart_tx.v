// SPDX-License-Identifier: Apache-2.0
// Sender of an asynchronous serial line: 8 data bits, no parity, 1 stop bit, least significant bit first.
//
// The stop bit, eight data bits and the start bit leave from the low end of one shift register, DIV clocks each; ones
// come in behind, so that the line idles high. The register is empty when only ones are left to send.
//
//   DIV      clocks a bit, at least 4
//   i_data   taken when i_valid and o_ready are high
`default_nettype none

module uart_tx #(
    parameter DIV = 104
) (
    input  wire       i_clk,
    input  wire       i_rst,
    input  wire       i_valid,
    input  wire [7:0] i_data,
    output wire       o_ready,
    output wire       o_tx
);
    localparam WIDTH = $clog2(DIV);
    localparam [WIDTH-1:0] BIT = DIV - 1;

    reg [8:0] shift_r;
    reg [3:0] left_r; // bits that are still to be sent, the one on the line included
    reg [WIDTH-1:0] count_r;

    assign o_ready = left_r == 0;
    assign o_tx = shift_r[0];

    always @(posedge i_clk) begin
        if (o_ready) begin
            count_r <= BIT;
            if (i_valid) begin
                shift_r <= {i_data, 1'b0};
                left_r <= 4'd10;
            end
        end else if (count_r != 0) begin
            count_r <= count_r - 1'b1;
        end else begin
            count_r <= BIT;
            shift_r <= {1'b1, shift_r[8:1]};
            left_r <= left_r - 1'b1;
        end
        if (i_rst) begin
            shift_r <= 9'h1ff;
            left_r <= 0;
        end
    end
endmodule

`default_nettype wire
