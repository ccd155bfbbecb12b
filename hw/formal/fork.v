// Each of three readers takes each beat once, and the source sees it taken when all have.
module formal_fork (
    input wire       i_clk,
    input wire       i_rst,
    input wire       i_valid,
    input wire [2:0] i_ready
);
    wire ready;
    wire [2:0] valid;
    reg begun_r = 0, waits_r = 0;
    reg [2:0] has_r;   // readers that have taken the beat that the source shows

    (* keep *) wire [2:0] its_done;

    bnn_fork #(.N(3)) dut (
        .i_clk(i_clk), .i_rst(i_rst), .i_valid(i_valid), .o_ready(ready), .o_valid(valid), .i_ready(i_ready)
    );

    always @(posedge i_clk) begin
        begun_r <= 1;
        waits_r <= begun_r && i_valid && !ready && !i_rst;
        has_r <= i_rst || i_valid && ready ? 0 : has_r | valid & i_ready;
    end

    always @* if (!begun_r) assume (i_rst);
    else begin
        assert (its_done == has_r);
        if (waits_r) assume (i_valid); // a stream does not take back what it has shown
        else assert (has_r == 0);
        assert ((valid & has_r) == 0);
        if (i_valid) begin
            assert ((valid | has_r) == 3'b111);
            assert (ready == &(has_r | valid & i_ready));
        end else assert (valid == 0);
    end
endmodule
