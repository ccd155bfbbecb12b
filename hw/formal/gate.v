// Spread and full of any two logits, and the state of a reset behind them. The tables are straight lines, exp from 1 to 0 in
// two steps and log with log 2 = 1, so that what they give has a formula: e = 1 - d / 128 steps, log S = e.
module formal_gate (
    input wire        i_clk,
    input wire        i_valid,
    input wire [31:0] i_data,
    input wire        i_ready
);
    wire ready, valid;
    wire [63:0] data;
    reg rst_r = 1, waits_r = 0, taken_r = 0;
    reg [1:0] count_r = 0;
    reg [63:0] data_r;
    reg signed [31:0] one_r, other_r;

    (* keep *) wire [4:0] its_row;
    (* keep *) wire [2:0] its_step;
    (* keep *) wire its_busy, its_end;

    bnn_gate #(.N(2), .FRAC(10), .ENTRIES(2), .OCTAVE(16384), .FULL(1024), .MEMORY(0), .EXP_FILE("gate_exp.hex"),
               .LOG_FILE("gate_log.hex")) dut (
        .i_clk(i_clk), .i_rst(rst_r), .i_valid(i_valid), .i_data(i_data), .o_ready(ready),
        .o_valid(valid), .o_data(data), .i_ready(i_ready)
    );

    wire [31:0] apart = one_r > other_r ? one_r - other_r : other_r - one_r;
    wire [7:0]  d = apart < 128 ? apart[7:0] : 8'd128;
    wire [14:0] e = 16384 - {d, 7'd0};
    wire [15:0] total = 16384 + e;
    wire [10:0] log = (e + 8) >> 4;

    always @(posedge i_clk) begin
        rst_r <= 0;
        waits_r <= !rst_r && valid && !i_ready;
        taken_r <= !rst_r && valid && i_ready;
        data_r <= data;
        if (!rst_r && i_valid && ready) begin
            one_r <= other_r;
            other_r <= i_data;
            count_r <= count_r + 1;
        end
        if (valid && i_ready) count_r <= 0;
    end

    // The logits come one right behind the other: then what the block does when is known, and only numbers are not.
    always @* if (!rst_r) begin
        if (count_r < 2) assume (i_valid);
        if (count_r < 2) assert (ready && !valid);
        else assert (!ready);
        if (valid) assert (data[63:32] == total * 32'd1024);
        if (valid) assert (data[31:0] == total * {21'd0, log} + e * {24'd0, d});
        if (waits_r) assert (valid && data == data_r);
        if (taken_r) assert (its_row == 0 && its_step == 0 && !its_busy && !its_end);
        cover (taken_r);
    end
endmodule
