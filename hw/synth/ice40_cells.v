// SPDX-License-Identifier: Apache-2.0
// Cells of the iCE40 by models that leave less behind than those that Yosys ships, which have choices of eight bits for each of
// a network's thousands of tables, 16384 registers for the large RAM, and 16 ports for the small one. Here a table is
// a tree of choices of single bits, of which those between constants and between equals go.

module SB_LUT4 #(
    parameter [15:0] LUT_INIT = 0
) (
    output O,
    input  I0,
    input  I1,
    input  I2,
    input  I3
);
    wire [7:0] by_0;
    wire [3:0] by_1;
    wire [1:0] by_2;
    genvar     i;

    generate
        for (i = 0; i < 8; i = i + 1) begin : g_0 assign by_0[i] = I0 ? LUT_INIT[2*i+1] : LUT_INIT[2*i]; end
        for (i = 0; i < 4; i = i + 1) begin : g_1 assign by_1[i] = I1 ? by_0[2*i+1] : by_0[2*i]; end
        for (i = 0; i < 2; i = i + 1) begin : g_2 assign by_2[i] = I2 ? by_1[2*i+1] : by_1[2*i]; end
    endgenerate
    assign O = I3 ? by_2[1] : by_2[0];
endmodule

// One port; POWEROFF is low to switch it off. What the output is after a write is not defined: here the complement of what
// it was, so that who relies on it is found out.
module SB_SPRAM256KA (
    input  [13:0]     ADDRESS,
    input  [15:0]     DATAIN,
    input  [3:0]      MASKWREN,
    input             WREN,
    input             CHIPSELECT,
    input             CLOCK,
    input             STANDBY,
    input             SLEEP,
    input             POWEROFF,
    output reg [15:0] DATAOUT
);
    reg [15:0] memory [0:16383];
    wire on = CHIPSELECT && !STANDBY && !SLEEP && POWEROFF;

    always @(posedge CLOCK) begin
        if (on) DATAOUT <= WREN ? ~DATAOUT : memory[ADDRESS];
        if (on && WREN && MASKWREN[0]) memory[ADDRESS][3:0] <= DATAIN[3:0];
        if (on && WREN && MASKWREN[1]) memory[ADDRESS][7:4] <= DATAIN[7:4];
        if (on && WREN && MASKWREN[2]) memory[ADDRESS][11:8] <= DATAIN[11:8];
        if (on && WREN && MASKWREN[3]) memory[ADDRESS][15:12] <= DATAIN[15:12];
    end
endmodule

// 256 words of 16 bits, or of modes 1 to 3 as many more of 8, 4 or 2 bits. The model that Yosys ships writes each bit by a port
// of its own; this one writes whole words, with the bits that stay read from the word.
module SB_RAM40_4K #(
    parameter WRITE_MODE = 0,
    parameter READ_MODE  = 0,
    parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0,
    parameter [255:0] INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0
) (
    output [15:0] RDATA,
    input         RCLK,
    input         RCLKE,
    input         RE,
    input  [10:0] RADDR,
    input         WCLK,
    input         WCLKE,
    input         WE,
    input  [10:0] WADDR,
    input  [15:0] MASK,
    input  [15:0] WDATA
);
    // Of each WIDE or READ bits that lie together an address chooses one; at the port that one is at LEFT or OUT of them.
    localparam WIDE = 1 << WRITE_MODE, READ = 1 << READ_MODE;
    localparam LEFT = WIDE > 1 ? WIDE / 2 - 1 : 0, OUT = READ > 1 ? READ / 2 - 1 : 0;
    localparam [4095:0] INIT = {INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8,
                                INIT_7, INIT_6, INIT_5, INIT_4, INIT_3, INIT_2, INIT_1, INIT_0};

    reg  [15:0] memory [0:255];
    reg  [15:0] read_r;
    wire [15:0] stays, value, hidden;
    integer     i;
    genvar      b;

    initial for (i = 0; i < 256; i = i + 1) memory[i] = INIT[16*i +: 16];

    generate
        for (b = 0; b < 16; b = b + 1) begin : g_bit
            assign stays[b]  = WRITE_MODE == 0 ? MASK[b] : (WADDR[10:8] & (WIDE - 1)) != b % WIDE;
            assign value[b]  = WDATA[b / WIDE * WIDE + LEFT];
            assign hidden[b] = (RADDR[10:8] & (READ - 1)) != b % READ;
            assign RDATA[b]  = b % READ == OUT && |read_r[b / READ * READ +: READ];
        end
    endgenerate

    always @(posedge WCLK) if (WE && WCLKE) memory[WADDR[7:0]] <= value & ~stays | memory[WADDR[7:0]] & stays;
    always @(posedge RCLK) if (RE && RCLKE) read_r <= memory[RADDR[7:0]] & ~hidden;
endmodule
