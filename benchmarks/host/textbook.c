/* A binary network as textbooks have it, for comparison: time steps as words of packed channels, XNOR and popcount tap by tap,
 * thresholds, pools over bits; one window at a time, one output at a time. For networks of blocks of kernel 7, pad 5, and
 * pools of 7 with stride 2 but for the last, of at most 64 channels.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define KERNEL 7
#define PAD 5
#define POOL 7
#define MAX_STEPS 4096
#define MAX_CHANNELS 64

typedef struct {
    int64_t n_in, n_out;
    uint64_t pad;      /* one step of it: bit c is that of channel c */
    const uint64_t *w; /* (n_out, KERNEL) words: bit c is the weight of channel c, 1 for +1 */
    const int64_t *t;  /* (n_out,); not read in the last block */
} block;

typedef struct {
    int64_t samples, channels, stats_frac, bound_frac, blocks, last_pool, last_stride;
    const int8_t *w;  /* (channels, KERNEL) */
    const int64_t *t; /* (channels,) */
    const block *block;
    const int64_t *rise, *fall, *bias;
} network;

static int64_t pooled(int64_t n)
{
    return (n - POOL) / 2 + 1;
}

/* Or of POOL steps, every second one. */
static int64_t pool_bits(const uint64_t *x, int64_t n, uint64_t *y)
{
    for (int64_t t = 0; t < pooled(n); t++) {
        y[t] = 0;
        for (int64_t j = 0; j < POOL; j++) {
            y[t] |= x[2 * t + j];
        }
    }
    return pooled(n);
}

/* Mean and standard deviation in sixteenths, or what stats_frac says, as docs/SPEC.md has them. */
static void statistics(const network *net, const int16_t *x, int64_t *mean, int64_t *std)
{
    const int64_t n = net->samples, scale = (int64_t)1 << net->stats_frac;
    int64_t sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i];
        squares += (int64_t)x[i] * x[i];
    }
    *mean = (int64_t)floor((double)(2 * scale * sum + n) / (double)(2 * n));
    const int64_t v = (n * squares - sum * sum) * scale * scale;
    int64_t root = (int64_t)sqrt((double)v);
    root -= root * root > v;
    root += (root + 1) * (root + 1) <= v;
    *std = root / n > 1 ? root / n : 1;
}

/* Samples to bits of `channels` channels, before the pool; returns the steps. */
static int64_t first_block(const network *net, const int16_t *x, uint64_t *bits)
{
    static int64_t d[MAX_STEPS];
    const int64_t n = net->samples, steps = (n + 2 * PAD - KERNEL) / 2 + 1;
    int64_t mean, std;
    statistics(net, x, &mean, &std);
    for (int64_t i = 0; i < n + 2 * PAD; i++) {
        d[i] = i < PAD || i >= n + PAD ? std : ((int64_t)x[i - PAD] << net->stats_frac) - mean;
    }
    for (int64_t t = 0; t < steps; t++) {
        bits[t] = 0;
        for (int64_t o = 0; o < net->channels; o++) {
            int64_t acc = 0;
            for (int64_t k = 0; k < KERNEL; k++) {
                acc += net->w[o * KERNEL + k] * d[2 * t + k];
            }
            bits[t] |= (uint64_t)(acc * ((int64_t)1 << net->bound_frac) >= net->t[o] * std) << o;
        }
    }
    return steps;
}

/* Sum of one output: taps less twice those where weight and input differ. */
static int64_t sum_of(const block *b, const uint64_t *x, const uint64_t *w)
{
    int64_t differ = 0;
    for (int64_t k = 0; k < KERNEL; k++) {
        differ += __builtin_popcountll(x[k] ^ w[k]);
    }
    return b->n_in * KERNEL - 2 * differ;
}

/* Put PAD steps before and after x. */
static void pad(const block *b, uint64_t *x, int64_t n)
{
    memmove(x + PAD, x, (size_t)n * sizeof *x);
    for (int64_t i = 0; i < PAD; i++) {
        x[i] = x[PAD + n + i] = b->pad;
    }
}

static void last_block(const network *net, const block *b, const uint64_t *x, int64_t steps, int32_t *logits)
{
    for (int64_t o = 0; o < b->n_out; o++) {
        int64_t acc[MAX_STEPS / 8], up = 0, down = 0;
        for (int64_t t = 0; t < steps; t++) {
            acc[t] = sum_of(b, x + t, b->w + o * KERNEL);
        }
        for (int64_t t = 0; t + net->last_pool <= steps; t += net->last_stride) {
            int64_t best = acc[t];
            for (int64_t j = 1; j < net->last_pool; j++) {
                best = acc[t + j] > best ? acc[t + j] : best;
            }
            up += best > 0 ? best : 0;
            down += best < 0 ? best : 0;
        }
        logits[o] = (int32_t)(net->rise[o] * up + net->fall[o] * down + net->bias[o]);
    }
}

/* logits (windows, n_out of the last block) of x (windows, samples). */
void textbook_run(const network *net, const int16_t *x, int64_t windows, int32_t *logits)
{
    static uint64_t map[MAX_STEPS], bits[MAX_STEPS];
    for (int64_t w = 0; w < windows; w++, x += net->samples, logits += net->block[net->blocks - 1].n_out) {
        int64_t n = pool_bits(bits, first_block(net, x, bits), map);
        for (int64_t i = 0; i < net->blocks; i++) {
            const block *b = &net->block[i];
            const int64_t steps = n + 2 * PAD - KERNEL + 1;
            pad(b, map, n);
            if (i + 1 == net->blocks) {
                last_block(net, b, map, steps, logits);
                break;
            }
            for (int64_t t = 0; t < steps; t++) {
                bits[t] = 0;
                for (int64_t o = 0; o < b->n_out; o++) {
                    bits[t] |= (uint64_t)(sum_of(b, map + t, b->w + o * KERNEL) >= b->t[o]) << o;
                }
            }
            n = pool_bits(bits, steps, map);
        }
    }
}
