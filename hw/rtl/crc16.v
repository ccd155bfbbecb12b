// SPDX-License-Identifier: Apache-2.0
// CRC-16 of a row of bytes: polynomial x^16 + x^12 + x^5 + 1, from 0xffff, high bit first ("CCITT-FALSE"; its check
// value for "123456789" is 0x29b1).
//
// A byte moves the remainder on by eight bits. Taken over a message and the two bytes of its CRC, high byte first, the
// remainder is 0.
`default_nettype none

module crc16 (
    input  wire        i_clk,
    input  wire        i_clear,
    input  wire        i_valid,
    input  wire [7:0]  i_data,
    output reg  [15:0] o_crc
);
    // With t the byte plus the upper half of the remainder: t' = t ^ t >> 4, and t' comes back at bits 12, 5 and 0.
    wire [7:0] top = o_crc[15:8] ^ i_data;
    wire [7:0] t = top ^ {4'b0, top[7:4]};

    always @(posedge i_clk)
        if (i_clear) o_crc <= 16'hffff;
        else if (i_valid) o_crc <= {o_crc[7:0], 8'b0} ^ {t[3:0], 12'b0} ^ {3'b0, t, 5'b0} ^ {8'b0, t};
endmodule

`default_nettype wire
