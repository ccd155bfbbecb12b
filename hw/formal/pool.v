// An output is the OR of three neighbouring inputs, every second step, for both beats of a step; six steps in make two out
// (the last one is not read), and the next row starts afresh.
module formal_pool (
    input wire i_clk,
    input wire i_valid,
    input wire i_data,
    input wire i_ready
);
    localparam STEPS = 6;
    wire ready, valid, data;
    reg rst_r = 1, beat_r = 0;
    reg [2:0] step_r = 0;
    reg [3:0] seen_r; // what came before, newest first: the other beat, this beat one step ago, ...

    bnn_pool #(.LANES(1), .FOLD(2), .W(1), .STEPS(STEPS), .KERNEL(3), .STRIDE(2)) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    wire due = step_r >= 2 && !step_r[0];

    always @(posedge i_clk) begin
        rst_r <= 0;
        if (!rst_r && i_valid && ready) begin
            beat_r <= !beat_r;
            if (beat_r) step_r <= step_r == STEPS - 1 ? 0 : step_r + 1;
            seen_r <= {seen_r[2:0], i_data};
        end
    end

    always @* if (!rst_r) begin
        assert (valid == (i_valid && due));
        assert (ready == (i_ready || !due));
        if (valid) assert (data == (i_data | seen_r[1] | seen_r[3]));
        cover (valid && step_r == 4);
    end
endmodule
