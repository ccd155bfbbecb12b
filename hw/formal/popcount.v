// The count of ones, two enabled clocks later, with groups that do not divide the bits.
module formal_popcount (
    input wire        i_clk,
    input wire        i_enable,
    input wire [12:0] i_bits
);
    wire [3:0] count;
    reg [12:0] one_r, two_r;
    reg [1:0] filled_r = 0;
    reg [3:0] wanted, low, mid, high;
    integer i;
    (* keep *) wire [3:0] low_r, mid_r, high_r;

    bnn_popcount #(.N(13), .GROUP(5), .CW(4)) dut (
        .i_clk(i_clk), .i_enable(i_enable), .i_bits(i_bits), .o_count(count)
    );

    always @(posedge i_clk) if (i_enable) begin
        one_r <= i_bits;
        two_r <= one_r;
        filled_r <= filled_r == 2 ? 2 : filled_r + 1;
    end

    always @* begin
        {wanted, low, mid, high} = 0;
        for (i = 0; i < 13; i = i + 1) wanted = wanted + two_r[i];
        for (i = 0; i < 5; i = i + 1) low = low + one_r[i];
        for (i = 5; i < 10; i = i + 1) mid = mid + one_r[i];
        for (i = 10; i < 13; i = i + 1) high = high + one_r[i];
        if (filled_r != 0) assert (low_r == low && mid_r == mid && high_r == high);
        if (filled_r == 2) assert (count == wanted);
    end
endmodule
