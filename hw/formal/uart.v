// What the sender is given comes out of the receiver: each byte once, unchanged, in order, and without errors: any
// two bytes, sent one behind the other, the first one up to three clocks after reset.
module formal_uart (
    input wire       i_clk,
    input wire [7:0] i_data
);
    localparam DIV = 4;
    wire ready, tx, valid, error;
    wire [7:0] data;
    reg rst_r = 1;
    reg [7:0] first_r, second_r;
    reg [1:0] sent_r = 0, got_r = 0;
    (* anyconst *) reg [1:0] wait_r; // clocks before the first byte
    reg [1:0] clocks_r = 0;
    wire send = !rst_r && clocks_r == wait_r && sent_r != 2;

    uart_tx #(.DIV(DIV)) u_tx (
        .i_clk(i_clk), .i_rst(rst_r), .i_valid(send), .i_data(i_data), .o_ready(ready), .o_tx(tx)
    );
    uart_rx #(.DIV(DIV)) u_rx (
        .i_clk(i_clk), .i_rst(rst_r), .i_rx(tx), .o_valid(valid), .o_data(data), .o_error(error)
    );

    always @(posedge i_clk) begin
        rst_r <= 0;
        if (!rst_r) begin
            if (clocks_r != wait_r) clocks_r <= clocks_r + 1;
            if (send && ready) begin
                if (sent_r == 0) first_r <= i_data;
                else second_r <= i_data;
                sent_r <= sent_r + 1;
            end
            if (valid) got_r <= got_r + 1;
        end
    end

    // Two bytes take twenty bits; a few clocks more pass in registers at both ends.
    reg [6:0] since_r = 0;
    always @(posedge i_clk) since_r <= sent_r == got_r ? 0 : since_r + 1;

    always @* if (!rst_r) begin
        assert (!error);
        if (valid) assert (got_r < sent_r && data == (got_r == 0 ? first_r : second_r));
        assert (since_r < 20 * DIV + 6);
        cover (got_r == 2);
    end
endmodule
