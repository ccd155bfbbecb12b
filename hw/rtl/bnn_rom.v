// SPDX-License-Identifier: Apache-2.0
// Constants, read one cycle after the address. BLOCK = 1 asks for block RAM, 0 for logic.
`default_nettype none
module bnn_rom #(
    parameter W     = 8,
    parameter DEPTH = 16,
    parameter AW    = 4,
    parameter BLOCK = 0,
    parameter FILE  = ""
) (
    input  wire          i_clk,
    input  wire          i_read,
    input  wire [AW-1:0] i_addr,
    output wire [W-1:0]  o_data
);

    reg [W-1:0] data_r;
    assign o_data = data_r;

    generate
        if (BLOCK != 0) begin : g_block
            (* rom_style = "block", ram_style = "block" *)
            reg [W-1:0] memory_r [0:DEPTH-1];
            if (FILE != "") begin : g_contents initial $readmemh(FILE, memory_r); end
            always @(posedge i_clk) if (i_read) data_r <= memory_r[i_addr];
        end else begin : g_logic
            (* rom_style = "logic", ram_style = "logic" *)
            reg [W-1:0] memory_r [0:DEPTH-1];
            if (FILE != "") begin : g_contents initial $readmemh(FILE, memory_r); end
            always @(posedge i_clk) if (i_read) data_r <= memory_r[i_addr];
        end
    endgenerate
endmodule
`default_nettype wire
