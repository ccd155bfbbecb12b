// SPDX-License-Identifier: Apache-2.0
// Whether a result leaves at this exit: spread / full < speed / 2^SPEED. It goes along with the class.
//
// That is speed full - spread 2^SPEED > 0, by Horner's rule: a bit of the speed a cycle, the highest, and the spread with
// it, first. The speed is read when the entropy comes.
`default_nettype none
module bnn_exit #(
    parameter W     = 32,   // of spread and full, which are not negative: their highest bit is 0
    parameter SPEED = 15    // fraction bits of the speed, which is at most 1
) (
    input  wire           i_clk,
    input  wire           i_rst,
    input  wire [SPEED:0] i_speed,
    input  wire           i_valid,
    input  wire [2*W-1:0] i_data,
    output wire           o_ready,
    input  wire           i_class_valid,
    output wire           o_class_ready,
    output wire           o_valid,
    output wire           o_leaves,
    input  wire           i_ready
);

    localparam CW = $clog2(SPEED + 1);
    localparam RW = W + SPEED;
    localparam [31:0] BITS = SPEED;

    reg [CW-1:0]        count_r;
    reg                 valid_r;
    reg [SPEED-1:0]     speed_r;
    reg [W-1:0]         full_r;
    reg signed [RW-1:0] rest_r;
    wire [W-1:0]        spread = i_data[W-1:0];
    wire [W-1:0]        full   = o_ready ? i_data[2*W-1:W] : full_r;
    wire                digit  = o_ready ? i_speed[SPEED] : speed_r[SPEED-1];
    wire [RW-1:0]       more   = {{SPEED{1'b0}}, digit ? full : {W{1'b0}}};

    assign o_ready  = count_r == {CW{1'b0}} && !valid_r;
    assign o_valid  = valid_r && i_class_valid;
    assign o_leaves = rest_r > 0;
    assign o_class_ready = valid_r && i_ready;

    always @(posedge i_clk) begin
        if (o_ready) begin
            if (i_valid) count_r <= BITS[CW-1:0];
            speed_r <= i_speed[SPEED-1:0];
            full_r  <= full;
            rest_r  <= more - {{SPEED{1'b0}}, spread};
        end else if (count_r != {CW{1'b0}}) begin
            count_r <= count_r - 1'b1;
            valid_r <= count_r == 1;
            speed_r <= speed_r << 1;
            rest_r  <= (rest_r <<< 1) + more;
        end else if (i_class_valid && i_ready) begin
            valid_r <= 1'b0;
        end
        if (i_rst) begin
            count_r <= {CW{1'b0}};
            valid_r <= 1'b0;
        end
    end
endmodule
`default_nettype wire
