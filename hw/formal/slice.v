// One register in a stream: every beat leaves once, unchanged and in order; a beat that waits keeps still.
module formal_slice (
    input wire       i_clk,
    input wire       i_rst,
    input wire       i_valid,
    input wire [7:0] i_data,
    input wire       i_ready
);
    wire ready, valid;
    wire [7:0] data;
    reg begun_r = 0, full_r, waits_r = 0;
    reg [7:0] held_r, data_r;

    bnn_slice #(.W(8)) dut (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    always @(posedge i_clk) begin
        begun_r <= 1;
        waits_r <= begun_r && valid && !i_ready && !i_rst;
        data_r <= data;
        if (i_valid && ready) held_r <= i_data;
        full_r <= !i_rst && (i_valid && ready || full_r && !(valid && i_ready));
    end

    always @* if (!begun_r) assume (i_rst);
    else begin
        assert (valid == full_r);
        if (full_r) assert (data == held_r && ready == i_ready);
        else assert (ready);
        if (waits_r) assert (valid && data == data_r);
    end
endmodule
