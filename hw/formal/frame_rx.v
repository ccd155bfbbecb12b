// Whatever bytes come: samples keep still until they are taken, a good frame has passed on all its samples and no more,
// and is never also a failed one.
module formal_frame_rx (
    input wire       i_clk,
    input wire       i_hold,
    input wire       i_byte_valid,
    input wire       i_byte_error,
    input wire [7:0] i_byte,
    input wire       i_ready
);
    localparam SAMPLES = 2;
    wire valid, done, fail;
    wire [15:0] data;
    wire [2:0] reason;
    reg rst_r = 1, waits_r = 0;
    reg [15:0] data_r;
    reg [2:0] taken_r = 0; // of this frame's samples; -1 while the last one of the frame before waits
    wire [2:0] passed = taken_r + valid;

    frame_rx #(.SAMPLES(SAMPLES), .TIMEOUT(5)) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_hold(i_hold), .i_byte_valid(i_byte_valid && !i_byte_error),
        .i_byte_error(i_byte_error), .i_byte(i_byte), .o_valid(valid), .o_data(data), .i_ready(i_ready),
        .o_done(done), .o_fail(fail), .o_reason(reason)
    );

    always @(posedge i_clk) begin
        rst_r <= 0;
        waits_r <= valid && !i_ready && !rst_r;
        data_r <= data;
        if (rst_r || fail) taken_r <= 0;
        else if (done) taken_r <= valid && !i_ready ? -1 : 0;
        else taken_r <= taken_r + (valid && i_ready);
    end

    always @* if (!rst_r) begin
        assert (!(done && fail));
        if (waits_r && !fail) assert (valid && data == data_r);
        if (fail) assert (!valid && reason >= 1 && reason <= 4);
        if (done) assert (passed == SAMPLES);
        if (!fail) assert (passed <= SAMPLES);
        cover (done);
        cover (fail && reason == 1);
        cover (fail && reason == 2);
        cover (fail && reason == 3);
    end
endmodule
