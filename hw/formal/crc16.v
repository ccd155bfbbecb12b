// The remainder is that of the division bit by bit, from any state on.
module formal_crc16 (
    input wire       i_clk,
    input wire       i_clear,
    input wire       i_valid,
    input wire [7:0] i_data
);
    wire [15:0] crc;
    reg [15:0] wanted_r, step;
    reg begun_r = 0;
    integer i;

    crc16 dut (.i_clk(i_clk), .i_clear(i_clear), .i_valid(i_valid), .i_data(i_data), .o_crc(crc));

    always @* begin
        step = wanted_r;
        for (i = 7; i >= 0; i = i - 1) step = {step[14:0], 1'b0} ^ (step[15] ^ i_data[i] ? 16'h1021 : 16'h0);
    end

    always @(posedge i_clk) begin
        begun_r <= 1;
        if (i_clear) wanted_r <= 16'hffff;
        else if (i_valid) wanted_r <= step;
    end

    always @* begin
        if (!begun_r) assume (i_clear);
        else assert (crc == wanted_r);
    end
endmodule
