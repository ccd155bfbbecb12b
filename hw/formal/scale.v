// Every beat is multiplied, moved, rounded with halves upwards and held, by the numbers of its own channel, and leaves in order.
module formal_scale (
    input wire       i_clk,
    input wire       i_valid,
    input wire [3:0] i_data,
    input wire       i_ready
);
    wire ready, valid;
    wire [3:0] data;
    reg rst_r = 1, odd_r = 0;
    reg [2:0] count_r = 0;      // beats inside
    reg [15:0] wanted_r;        // of these, the next one lowest

    bnn_scale #(.LANES(1), .FOLD(2), .W(4), .OW(4), .SHIFT(3), .LO(-6), .HI(5), .FILE("scale.hex")) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    // scale.hex, channel by channel: m and b
    wire signed [15:0] x = $signed(i_data);
    wire signed [15:0] eighths = odd_r ? -9 * x - 5 : 7 * x + 4;
    wire signed [15:0] twice = eighths * 2 + 8;     // floor(eighths / 8 + 1 / 2) in sixteenths
    wire signed [15:0] whole = twice >>> 4;
    wire [3:0] wanted = whole < -6 ? -6 : whole > 5 ? 5 : whole;

    wire enter = i_valid && ready, leave = valid && i_ready;

    always @(posedge i_clk) begin
        rst_r <= 0;
        if (!rst_r) begin
            if (enter) odd_r <= !odd_r;
            count_r <= count_r + enter - leave;
            if (leave) wanted_r <= enter ? (wanted_r >> 4) & ~(16'hf << 4 * (count_r - 1)) | wanted << 4 * (count_r - 1) : wanted_r >> 4;
            else if (enter) wanted_r <= wanted_r & ~(16'hf << 4 * count_r) | wanted << 4 * count_r;
        end
    end

    always @* if (!rst_r) begin
        assert (count_r <= 4);
        if (count_r == 0) assert (!valid);
        if (valid) assert (data == wanted_r[3:0]);
        cover (valid && odd_r);
    end
endmodule
