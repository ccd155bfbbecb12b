// Of each window two beats of the one stream pass, then three of the other, and no beat of the stream whose turn it is not.
module formal_join (
    input wire       i_clk,
    input wire       i_a_valid,
    input wire       i_a,
    input wire       i_b_valid,
    input wire       i_b,
    input wire       i_ready
);
    wire a_ready, b_ready, valid, data;
    reg rst_r = 1;
    reg [2:0] passed_r = 0;     // beats of the window

    bnn_join #(.W(1), .A(2), .B(3)) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_a_valid(i_a_valid), .i_a(i_a), .o_a_ready(a_ready),
        .i_b_valid(i_b_valid), .i_b(i_b), .o_b_ready(b_ready), .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    wire first = passed_r < 2;

    always @(posedge i_clk) begin
        rst_r <= 0;
        if (!rst_r && valid && i_ready) passed_r <= passed_r == 4 ? 0 : passed_r + 1;
    end

    always @* if (!rst_r) begin
        assert (valid == (first ? i_a_valid : i_b_valid));
        assert (a_ready == (first && i_ready) && b_ready == (!first && i_ready));
        if (valid) assert (data == (first ? i_a : i_b));
        cover (passed_r == 4);
    end
endmodule
