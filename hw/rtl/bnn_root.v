// SPDX-License-Identifier: Apache-2.0
// floor(sqrt(x)), one bit of the root a cycle.
//
// The root grows by a digit at the end: root' = 2 root + b. Its square takes (4 root + 1) more than 4 root^2 if
// b is 1, so b says whether the rest, with the next two bits of x behind it, holds that much.
`default_nettype none
module bnn_root #(
    parameter ROOT_W = 31
) (
    input  wire                i_clk,
    input  wire                i_rst,
    input  wire                i_valid,
    input  wire [2*ROOT_W-1:0] i_data,
    output wire                o_ready,
    output wire                o_valid,
    output wire [ROOT_W-1:0]   o_data,
    input  wire                i_ready
);

    localparam CW = $clog2(ROOT_W + 1);
    localparam [31:0] DIGITS = ROOT_W;

    reg [CW-1:0]       count_r;
    reg                valid_r;
    reg [2*ROOT_W-1:0] x_r;
    reg [ROOT_W:0]     rest_r;
    reg [ROOT_W-1:0]   root_r;
    wire [ROOT_W+2:0]  next  = {rest_r, x_r[2*ROOT_W-1 -: 2]};
    wire [ROOT_W+2:0]  trial = {1'b0, root_r, 2'b01};
    wire               digit = next >= trial;
    wire [ROOT_W:0]    rest  = digit ? next[ROOT_W:0] - trial[ROOT_W:0] : next[ROOT_W:0];

    assign o_ready = count_r == {CW{1'b0}} && !valid_r;
    assign o_valid = valid_r;
    assign o_data  = root_r;

    always @(posedge i_clk) begin
        if (o_ready && i_valid) begin
            count_r <= DIGITS[CW-1:0];
            x_r     <= i_data;
            rest_r  <= {(ROOT_W+1){1'b0}};
            root_r  <= {ROOT_W{1'b0}};
        end else if (count_r != {CW{1'b0}}) begin
            count_r <= count_r - 1'b1;
            x_r     <= x_r << 2;
            rest_r  <= rest;
            root_r  <= {root_r[ROOT_W-2:0], digit};
            valid_r <= count_r == 1;
        end else if (i_ready) begin
            valid_r <= 1'b0;
        end
        if (i_rst) begin
            count_r <= {CW{1'b0}};
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
