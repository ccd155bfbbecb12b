// Every lane of every beat is compared, as signed numbers, with its own bound; 7 is one that no value reaches.
module formal_threshold (
    input wire       i_clk,
    input wire       i_valid,
    input wire [7:0] i_data,
    input wire       i_ready
);
    wire ready, valid;
    wire [1:0] data;
    reg rst_r = 1, full_r = 0;
    reg [1:0] beat_r = 0, wanted_r;
    wire signed [4:0] low = $signed(i_data[3:0]), high = $signed(i_data[7:4]);

    (* keep *) wire [1:0] its_beat;

    bnn_threshold #(.LANES(2), .FOLD(3), .W(4), .FILE("threshold.hex")) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    // threshold.hex, beat by beat: bounds of the low and of the high lane
    wire signed [4:0] low_bound = beat_r == 0 ? -8 : beat_r == 1 ? 3 : 8;
    wire signed [4:0] high_bound = beat_r == 0 ? 0 : beat_r == 1 ? -5 : 7;

    always @(posedge i_clk) begin
        rst_r <= 0;
        if (!rst_r) begin
            if (i_valid && ready) begin
                beat_r <= beat_r == 2 ? 0 : beat_r + 1;
                wanted_r <= {high >= high_bound, low >= low_bound};
            end
            full_r <= i_valid && ready || full_r && !i_ready;
        end
    end

    always @* if (!rst_r) begin
        assert (its_beat == beat_r && beat_r < 3);
        assert (valid == full_r);
        if (valid) assert (data == wanted_r);
        cover (valid && beat_r == 0);
    end
endmodule
