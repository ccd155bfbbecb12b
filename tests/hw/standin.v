// A stand-in for a network: SAMPLES samples in; their sum, their exclusive or and a constant out, as three logits.
// It takes a sample every PACE clocks, and after the sample 0x5354 none for 1000 clocks.
`default_nettype none

module standin_top #(
    parameter SAMPLES = 16,
    parameter PACE = 3,
    parameter HUGE = 0 // a network's choice of memory
) (
    input  wire        i_clk,
    input  wire        i_rst,
    input  wire        i_valid,
    input  wire [15:0] i_data,
    output wire        o_ready,
    output wire        o_valid,
    input  wire        i_ready,
    output wire [7:0]  o_class,
    output wire [95:0] o_logits
);
    reg [15:0] count_r, pace_r;
    reg [31:0] sum_r;
    reg [15:0] xor_r;

    assign o_ready = count_r != SAMPLES && pace_r == 0;
    assign o_valid = count_r == SAMPLES;
    assign o_class = sum_r[7:0];
    assign o_logits = {32'h01020304, {16{xor_r[15]}}, xor_r, sum_r};

    always @(posedge i_clk) begin
        pace_r <= pace_r == 0 ? PACE - 1 : pace_r - 1;
        if (i_valid && o_ready) begin
            count_r <= count_r + 1;
            sum_r <= sum_r + {{16{i_data[15]}}, i_data};
            xor_r <= xor_r ^ i_data;
            if (i_data == 16'h5354) pace_r <= 1000;
        end
        if (i_rst || o_valid && i_ready) {count_r, pace_r, sum_r, xor_r} <= 0;
    end
endmodule

`default_nettype wire
