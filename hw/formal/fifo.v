// Words leave in the order in which they came, none is lost or doubled, and there is room for three and one more.
module formal_fifo (
    input wire       i_clk,
    input wire       i_valid,
    input wire [1:0] i_data,
    input wire       i_ready
);
    wire ready, valid;
    wire [1:0] data;
    reg rst_r = 1;
    reg [2:0] count_r = 0;      // words inside
    reg [7:0] wanted_r;         // of these, the next one lowest

    bnn_fifo #(.W(2), .DEPTH(3)) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    wire enter = i_valid && ready, leave = valid && i_ready;
    wire [2:0] behind = count_r - leave;
    wire [7:0] kept = leave ? wanted_r >> 2 : wanted_r;

    always @(posedge i_clk) begin
        rst_r <= 0;
        if (!rst_r) begin
            count_r <= behind + enter;
            wanted_r <= enter ? kept & ~(8'h3 << 2 * behind) | i_data << 2 * behind : kept;
        end
    end

    always @* if (!rst_r) begin
        assert (count_r <= 4);
        assert (ready || count_r >= 3);
        if (count_r == 0) assert (!valid);
        if (valid) assert (data == wanted_r[1:0]);
        cover (count_r == 4);
    end
endmodule
