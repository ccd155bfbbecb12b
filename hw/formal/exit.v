// The comparison of any entropy with any speed, which is read when the entropy comes; the class waits for it.
module formal_exit (
    input wire       i_clk,
    input wire [3:0] i_speed,
    input wire       i_valid,
    input wire [7:0] i_data,
    input wire       i_class_valid,
    input wire       i_ready
);
    wire ready, class_ready, valid, leaves;
    reg rst_r = 1, full_r = 0, waits_r = 0, leaves_r;
    reg [3:0] speed_r, age_r = 0;
    reg [7:0] data_r;

    bnn_exit #(.W(4), .SPEED(3)) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_speed(i_speed), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .i_class_valid(i_class_valid), .o_class_ready(class_ready), .o_valid(valid), .o_leaves(leaves), .i_ready(i_ready)
    );

    always @(posedge i_clk) begin
        rst_r <= 0;
        waits_r <= !rst_r && valid && !i_ready;
        leaves_r <= leaves;
        age_r <= age_r == 15 ? 15 : age_r + 1;
        if (!rst_r && i_valid && ready) begin
            {speed_r, data_r} <= {i_speed, i_data};
            full_r <= 1;
            age_r <= 0;
        end
        if (valid && i_ready) full_r <= 0;
    end

    always @* begin
        assume (i_speed <= 8 && !i_data[3] && !i_data[7]);
        if (!rst_r) begin
            assert (ready == !full_r);
            assert (valid == (full_r && age_r >= 3 && i_class_valid));
            if (i_class_valid) assert (class_ready == (valid && i_ready));
            if (valid) assert (leaves == ({data_r[3:0], 3'd0} < speed_r * {4'd0, data_r[7:4]}));
            if (waits_r && i_class_valid) assert (valid && leaves == leaves_r);
            cover (valid && leaves);
        end
    end
endmodule
