// SPDX-License-Identifier: Apache-2.0
//
// Runs windows through a generated top level, compiled by Verilator (BNN_VERILATOR) or by Yosys' CXXRTL.
//
//     bench SAMPLES RESULTS WINDOWS SEED STALL_IN STALL_OUT RESET_AT PATIENCE SPEED
//
// SAMPLES   WINDOWS windows of int16, one behind the other
// STALL_*   in how many of 256 cycles a sample is held back, or a result is not taken; SEED says in which
// RESET_AT  0, or the cycle in which a reset falls into windows of other samples; all windows follow
// PATIENCE  cycles without a result after which it gives up, with exit code 3
// SPEED     of the exit, where the network has a gate
// RESULTS   uint32 words: of each window class, logits, whether it leaves (0 without a gate), cycle of its first sample
//           and of its result; then of each stream the number of beats and the beats, each in whole words. Cycles count from the first one after reset.
//
// A sample that is held back once is a choice of this cycle only; one that is offered stays until it is taken.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "streams.h"  // SAMPLES, CLASSES, GATED, STREAMS, WIDTHS: from the manifest

#ifdef BNN_VERILATOR
#include "Vtop.h"
#include "verilated.h"

static uint32_t word(CData value, unsigned) { return value; }
static uint32_t word(SData value, unsigned) { return value; }
static uint32_t word(IData value, unsigned) { return value; }
static uint32_t word(QData value, unsigned i) { return (uint32_t)(value >> (32 * i)); }
template <std::size_t N> static uint32_t word(const VlWide<N> &value, unsigned i) { return value[i]; }

struct Model {
    VerilatedContext context;
    Vtop top{random(context)};
    static VerilatedContext *random(VerilatedContext &context) { return context.randReset(2), &context; }  // of registers
    void set(bool rst, bool valid, uint16_t data, bool ready)
    {
        top.i_rst = rst, top.i_valid = valid, top.i_data = data, top.i_ready = ready;
        top.i_clk = 0;
        top.eval();
    }
    void edge() { top.i_clk = 1, top.eval(); }
};
#define OUT(model, verilator, cxxrtl, i) word((model).top.verilator, i)
#else
#include "top.cpp"

template <std::size_t N> static uint32_t word(const cxxrtl::value<N> &value, unsigned i) { return value.data[i]; }
template <std::size_t N> static uint32_t word(const cxxrtl::wire<N> &wire, unsigned i) { return wire.curr.data[i]; }

struct Model {
    cxxrtl_design::p_top top;
    void set(bool rst, bool valid, uint16_t data, bool ready)
    {
        top.p_i__rst.set<bool>(rst), top.p_i__valid.set<bool>(valid);
        top.p_i__data.set<uint16_t>(data), top.p_i__ready.set<bool>(ready);
        top.p_i__clk.set<bool>(false);
        top.step();
    }
    void edge() { top.p_i__clk.set<bool>(true), top.step(); }
};
#define OUT(model, verilator, cxxrtl, i) word((model).top.cxxrtl, i)
#endif

#if GATED
#ifdef BNN_VERILATOR
static void set_speed(Model &model, uint32_t speed) { model.top.i_speed = (uint16_t)speed; }
#else
static void set_speed(Model &model, uint32_t speed) { model.top.p_i__speed.set<uint16_t>((uint16_t)speed); }
#endif
static uint32_t leaves(const Model &model) { return OUT(model, o_leaves, p_o__leaves, 0); }
#else
static void set_speed(Model &, uint32_t) {}
static uint32_t leaves(const Model &) { return 0; }
#endif

static uint32_t dice = 1;

static bool by_chance(unsigned of_256)
{
    dice ^= dice << 13, dice ^= dice >> 17, dice ^= dice << 5;
    return (dice >> 8) % 256 < of_256;
}

#if STREAMS
static std::vector<uint32_t> beats[STREAMS];
static uint32_t counts[STREAMS];

static void trace(Model &model)
{
    unsigned first = 0;
    for (unsigned s = 0; s < STREAMS; first += WIDTHS[s++]) {
        if (!(OUT(model, o_trace_fire, p_o__trace__fire, s / 32) >> (s % 32) & 1)) continue;
        counts[s]++;
        for (unsigned bit = 0; bit < WIDTHS[s]; bit += 32) {
            unsigned at = first + bit, left = WIDTHS[s] - bit;
            uint32_t value = OUT(model, o_trace, p_o__trace, at / 32) >> (at % 32);
            if (at % 32 && left > 32 - at % 32) value |= OUT(model, o_trace, p_o__trace, at / 32 + 1) << (32 - at % 32);
            beats[s].push_back(left < 32 ? value & ((1u << left) - 1) : value);
        }
    }
}

static void forget()
{
    for (unsigned s = 0; s < STREAMS; s++) beats[s].clear(), counts[s] = 0;
}
#else
static void trace(Model &) {}
static void forget() {}
#endif

static void reset(Model &model)
{
    for (int i = 0; i < 3; i++) model.set(true, false, 0, false), model.edge();
    forget();
}

struct Run {
    const std::vector<int16_t> &samples;
    uint32_t windows;
    unsigned stall_in, stall_out;
    std::vector<uint32_t> first, results;
    std::size_t next = 0;
    bool offered = false;

    // One cycle; true where a result is taken.
    bool cycle(Model &model, uint32_t now, uint16_t twist)
    {
        offered = offered || (next < samples.size() && !by_chance(stall_in));
        bool ready = !by_chance(stall_out);
        model.set(false, offered, offered ? (uint16_t)samples[next] ^ twist : 0xdead, ready);
        trace(model);
        bool taken = ready && OUT(model, o_valid, p_o__valid, 0);
        if (taken) {
            results.push_back(OUT(model, o_class, p_o__class, 0));
            for (unsigned c = 0; c < CLASSES; c++) results.push_back(OUT(model, o_logits, p_o__logits, c));
            results.push_back(leaves(model));
            results.push_back(first[results.size() / (CLASSES + 4)]);
            results.push_back(now);
        }
        if (offered && OUT(model, o_ready, p_o__ready, 0)) {
            if (next++ % SAMPLES == 0) first.push_back(now);
            offered = false;
        }
        model.edge();
        return taken;
    }
};

static void write(FILE *file, const uint32_t *words, std::size_t n)
{
    if (std::fwrite(words, 4, n, file) != n) std::perror("bench"), std::exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 10) return std::fprintf(stderr, "bench: nine arguments are needed\n"), 2;
    uint32_t n[10];
    for (int i = 3; i < 10; i++) n[i] = (uint32_t)std::strtoul(argv[i], nullptr, 10);
    std::vector<int16_t> samples((std::size_t)n[3] * SAMPLES);
    FILE *in = std::fopen(argv[1], "rb"), *out = std::fopen(argv[2], "wb");
    if (!in || !out || std::fread(samples.data(), 2, samples.size(), in) != samples.size())
        return std::fprintf(stderr, "bench: no samples, or no place for results\n"), 2;
    dice = n[4] * 2654435761u | 1;

    Model model;
    set_speed(model, n[9]);
    reset(model);
    if (n[7]) {
        Run other{samples, n[3], n[5], n[6]};
        for (uint32_t now = 0; now < n[7]; now++) other.cycle(model, now, 0x35a7);
        reset(model);
    }
    Run run{samples, n[3], n[5], n[6]};
    for (uint32_t now = 0, done = 0, idle = 0; done < run.windows; now++) {
        bool taken = run.cycle(model, now, 0);
        done += taken;
        idle = taken ? 0 : idle + 1;
        if (idle > n[8]) return std::fprintf(stderr, "bench: %u of %u windows are done, and no more come\n", done, n[3]), 3;
    }
    for (int i = 0; i < 200; i++) run.cycle(model, 0, 0);  // nothing may follow
    write(out, run.results.data(), run.results.size());
#if STREAMS
    for (unsigned s = 0; s < STREAMS; s++) {
        write(out, &counts[s], 1);
        write(out, beats[s].data(), beats[s].size());
    }
#endif
    return std::fclose(out) ? 1 : 0;
}
