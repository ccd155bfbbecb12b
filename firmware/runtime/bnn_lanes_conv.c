/* Binary convolution on lanes: 32 positions at a time, counted in bit planes.
 *
 * With u = 0, 1 for the bits of x, P+ and P- the number of ones under weights +1 and -1, S = P+ + P-, N taps, n+ of them +1
 * and W = 2 n+ - N, the accumulator sum w (2 u - 1) is
 *
 *     acc = 2 (P+ - P-) - W = 4 P+ - 2 S - W = 2 S - 4 P- - W
 *
 * S is the same for all output channels, so each needs only one of P+ and P-: half of the taps. With a bound t,
 *
 *     acc >= t  is  2 P+ - S >= ceil((t + W) / 2)  or  not 2 P- - S >= floor(-(t + W) / 2) + 1
 *
 * Two output channels go together. Their weights part the taps into four classes; P of the first, up to its sign, is the
 * count of `both` plus `first`, that of the second `both` plus `second`, and the largest class is the one that neither
 * counts. So two channels cost at most three quarters of the taps, and `both` is counted once.
 *
 * Planes. Counters hold D = 2 P - S + 2^(n - 1) - 1, where N < 2^(n - 1). 2 P - S lies in [-N, N], hence D in [0, 2^n - 2]:
 * n planes hold every D that there can be. Before any tap D = 2^(n - 1) - 1 - S, which is S with n - 1 planes inverted.
 */
#include "bnn_lanes.h"

/* What the loops of one layer need. Scratch in this order; see bnn_lanes_conv_threshold() for its size. */
typedef struct {
    const bnn_lanes_conv *layer;
    uint32_t taps, words;    /* under the kernel, and words of a row of weights */
    uint32_t n, n_sum;       /* planes of D, and of a sum over the input channels */
    uint32_t *start;         /* D before any tap, n planes for each position of the pass */
    uint32_t *sum;           /* S of the position that is next, n planes */
    uint32_t *ring;          /* sums over the input channels, n_sum planes, of the last `kernel` words */
    uint32_t *shared, *own;  /* n planes each: D of the taps that both count, D of one of the two */
    uint32_t *rows;          /* weights of two output channels, each from a word on */
    bnn_offset *list;
} walk;

/* The taps that two output channels count; `second` follows `first`, which follows `both`, in rounds of eight. */
typedef struct {
    uint32_t both, first, second; /* rounds */
    uint32_t flip[2];             /* all 1 where the channel counts the taps of weight -1 */
    int32_t balance[2];           /* W */
} pair;

static uint32_t planes_of(uint32_t count)
{
    uint32_t n = 4; /* what bnn_add_words() asks for */

    while (count >> n > 0u) {
        n++;
    }
    return n;
}

static walk begin(const bnn_lanes_conv *layer, uint32_t *scratch)
{
    walk w;

    w.layer = layer;
    w.taps = (uint32_t)layer->kernel * layer->x->channels;
    w.words = BNN_WORDS(w.taps);
    w.n = planes_of(w.taps) + 1u;
    w.n_sum = planes_of(layer->x->channels);
    w.start = scratch;
    w.sum = w.start + BNN_LANES_PASS * w.n;
    w.ring = w.sum + w.n;
    w.shared = w.ring + layer->kernel * w.n_sum;
    w.own = w.shared + w.n;
    w.rows = w.own + w.n;
    w.list = (bnn_offset *)(w.rows + 2u * w.words);
    return w;
}

/* Words of x under tap 0 at the first position. */
static const uint32_t *first_word(const walk *w, const uint32_t *x)
{
    return x + w->layer->x->margin - w->layer->pad;
}

/* Fill the last round of a list with the row of zeros. */
static bnn_offset *fill_round(const walk *w, bnn_offset *begin, bnn_offset *end)
{
    const bnn_lanes *x = w->layer->x;

    while ((end - begin) % 8 != 0) {
        *end++ = (bnn_offset)(x->channels * x->row);
    }
    return end;
}

/* sum += v for v of n_sum planes; or sum -= v, which is sum + ~v + 1, where `invert` is all 1. */
static void add_planes(const walk *w, const uint32_t *v, uint32_t invert)
{
    uint32_t carry = invert;

    for (uint32_t p = 0; p < w->n; p++) {
        const uint32_t a = w->sum[p];
        const uint32_t b = (p < w->n_sum ? v[p] : 0u) ^ invert;
        w->sum[p] = a ^ b ^ carry;
        carry = (a & b) | (carry & (a ^ b));
    }
}

/* Bring the sum over all taps to position i: a window that slides over the sums over channels. */
static void slide(const walk *w, const uint32_t *first, uint32_t i, uint32_t rounds)
{
    const uint32_t kernel = w->layer->kernel;

    for (uint32_t n = i == 0u ? 0u : i + kernel - 1u; n < i + kernel; n++) {
        uint32_t *v = w->ring + n % kernel * w->n_sum;
        if (n >= kernel) {
            add_planes(w, v, 0xFFFFFFFFu);
        }
        for (uint32_t p = 0; p < w->n_sum; p++) {
            v[p] = 0u;
        }
        bnn_add_words(first + n, w->list, rounds, v, w->n_sum);
        add_planes(w, v, 0u);
    }
}

/* D before any tap, for the positions from i to `end`. */
static void prepare(const walk *w, const uint32_t *first, uint32_t i, uint32_t end)
{
    const bnn_lanes *x = w->layer->x;
    bnn_offset *last = w->list;
    uint32_t *d = w->start;

    for (uint32_t c = 0; c < x->channels; c++) {
        *last++ = (bnn_offset)(c * x->row);
    }
    last = fill_round(w, w->list, last);
    for (; i < end; i++) {
        slide(w, first, i, (uint32_t)(last - w->list) / 8u);
        for (uint32_t p = 0; p + 1u < w->n; p++) {
            *d++ = ~w->sum[p];
        }
        *d++ = 0u;
    }
}

/* List the taps that row a counts and, as `want` says, row b counts too or does not. A flipped row counts where it is 0. */
static uint32_t list_taps(const walk *w, const uint32_t *a, const uint32_t *b, const uint32_t flip[2],
                          bnn_offset **end)
{
    const bnn_lanes *x = w->layer->x;
    bnn_offset *const begin = *end;
    bnn_offset *next = begin;
    uint32_t offset = 0, c = 0;

    for (uint32_t i = 0; i < w->words; i++) {
        uint32_t bits = (a[i] ^ flip[0]) & (b[i] ^ flip[1]);
        uint32_t n = w->taps - 32u * i < 32u ? w->taps - 32u * i : 32u;
        for (; n > 0u; n--, bits >>= 1) {
            if (bits & 1u) {
                *next++ = (bnn_offset)offset;
            }
            offset += x->row;
            if (++c == x->channels) { /* on to the next tap in time */
                c = 0;
                offset -= x->channels * x->row - 1u;
            }
        }
    }
    *end = fill_round(w, begin, next);
    return (uint32_t)(*end - begin) / 8u;
}

/* Choose signs so that the largest class of taps is left out, and list the other three. The second of the
 * two is the first again where there is no second. */
static pair pair_of(const walk *w, uint32_t o, uint32_t other)
{
    const uint32_t *a = w->rows;
    const uint32_t *b = w->rows + w->words;
    bnn_offset *end = w->list;
    uint32_t ones[2] = {0u, 0u};
    uint32_t both = 0, largest = 0;
    pair p = {0};

    bnn_gather(w->layer->weights, o * w->taps, w->taps, w->rows);
    bnn_gather(w->layer->weights, other * w->taps, w->taps, w->rows + w->words);
    for (uint32_t i = 0; i < w->words; i++) {
        ones[0] += BNN_POPCOUNT(a[i]);
        ones[1] += BNN_POPCOUNT(b[i]);
        both += BNN_POPCOUNT(a[i] & b[i]);
    }
    for (uint32_t k = 0; k < 4u; k++) { /* classes: bit 0 the first channel's weight, bit 1 the second's */
        const uint32_t n_first = k & 1u ? ones[0] - both : w->taps - ones[0] - ones[1] + both;
        const uint32_t n = k & 2u ? (k & 1u ? both : ones[1] - both) : n_first;
        if (k == 0u || n > largest) {
            largest = n;
            p.flip[0] = k & 1u ? 0xFFFFFFFFu : 0u;
            p.flip[1] = k & 2u ? 0xFFFFFFFFu : 0u;
        }
    }
    for (uint32_t k = 0; k < 2u; k++) {
        p.balance[k] = 2 * (int32_t)ones[k] - (int32_t)w->taps;
    }
    const uint32_t only_first[2] = {p.flip[0], ~p.flip[1]};
    const uint32_t only_second[2] = {~p.flip[0], p.flip[1]};
    p.both = list_taps(w, a, b, p.flip, &end);
    p.first = list_taps(w, a, b, only_first, &end);
    p.second = list_taps(w, a, b, only_second, &end);
    return p;
}

static void copy_planes(uint32_t *to, const uint32_t *from, uint32_t n)
{
    for (uint32_t p = 0; p < n; p++) {
        to[p] = from[p];
    }
}

/* floor(v / 2) */
static int32_t half(int32_t v)
{
    return (v - (int32_t)((uint32_t)v & 1u)) / 2;
}

/* The least D that channel k of the pair wants for acc >= t, or, where it is flipped, for acc < t. */
static uint32_t bound_of(const walk *w, const pair *p, uint32_t k, int32_t t)
{
    const int32_t v = t + p->balance[k];
    const int32_t least = (p->flip[k] ? half(-v) + 1 : half(v + 1)) + (1 << (w->n - 1u)) - 1;
    const int32_t top = (1 << w->n) - 1; /* above every D */

    return least < 0 ? 0u : least > top ? (uint32_t)top : (uint32_t)least;
}

/* Where D >= bound: the carry of D + ~bound + 1. */
static uint32_t reached(const uint32_t *d, uint32_t n, uint32_t bound)
{
    uint32_t carry = 0xFFFFFFFFu;

    for (uint32_t p = 0; p < n; p++, bound >>= 1) {
        carry = bound & 1u ? carry & d[p] : carry | d[p];
    }
    return carry;
}

/* D of the pair's channels at the positions i .. end - 1 of the pass that begins at i. `done` is told of each. */
typedef void sink(const walk *w, const pair *p, uint32_t k, uint32_t o, uint32_t i, uint32_t *y);

static void run_pair(const walk *w, const uint32_t *first, uint32_t o, uint32_t i, uint32_t end, sink *done, uint32_t *y)
{
    const uint32_t channels = w->layer->y ? w->layer->y->channels : w->layer->sums->channels;
    const uint32_t other = o + 1u < channels ? o + 1u : o;
    const pair p = pair_of(w, o, other);
    const uint32_t *start = w->start;

    for (; i < end; i++, start += w->n) {
        const bnn_offset *list = w->list;
        copy_planes(w->shared, start, w->n);
        bnn_add_words(first + i, list, p.both, w->shared + 1, w->n - 1u);
        list += 8u * p.both;
        copy_planes(w->own, w->shared, w->n);
        bnn_add_words(first + i, list, p.first, w->own + 1, w->n - 1u);
        done(w, &p, 0u, o, i, y);
        if (other > o) {
            list += 8u * p.first;
            copy_planes(w->own, w->shared, w->n);
            bnn_add_words(first + i, list, p.second, w->own + 1, w->n - 1u);
            done(w, &p, 1u, other, i, y);
        }
    }
}

static void run(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t channels, sink *done, uint32_t *y, uint32_t *scratch)
{
    const walk w = begin(layer, scratch);
    const uint32_t *first = first_word(&w, x);

    for (uint32_t p = 0; p < w.n; p++) {
        w.sum[p] = 0u;
    }
    for (uint32_t i = 0; i < layer->x->segment; i += BNN_LANES_PASS) {
        const uint32_t left = layer->x->segment - i;
        const uint32_t end = i + (left < BNN_LANES_PASS ? left : BNN_LANES_PASS);
        prepare(&w, first, i, end);
        for (uint32_t o = 0; o < channels; o += 2u) {
            run_pair(&w, first, o, i, end, done, y);
        }
    }
}

static void compare(const walk *w, const pair *p, uint32_t k, uint32_t o, uint32_t i, uint32_t *y)
{
    const bnn_lanes *map = w->layer->y;
    const uint32_t bound = bound_of(w, p, k, w->layer->t[o]);

    bnn_row(y, map, o)[map->margin + i] = reached(w->own, w->n, bound) ^ p->flip[k];
}

/* One binary convolution of stride 1, thresholded back to bits: y[o, t] = acc[o, t] >= t[o], as derived above.
 *
 *   x        the map layer->x with a margin of at least `pad` words, rows of at least x->margin + segment + kernel - 1 - pad
 *            words, a row of zeros, and at most 65536 words in all
 *   y        the map layer->y with its margins; must not overlap x
 *   scratch  with n = max(4, bits of taps) + 1 and n_sum = max(4, bits of x->channels):
 *            (BNN_LANES_PASS + 3) * n + kernel * n_sum + 2 * BNN_WORDS(taps) + BNN_WORDS(16 * (taps + 24)) words
 *
 * The taps are at most 32766. Defined by BinaryConv and Threshold in the simulator.
 */
void bnn_lanes_conv_threshold(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    run(layer, x, layer->y->channels, compare, y, scratch);
    for (uint32_t o = 0; o < layer->y->channels; o++) {
        bnn_close_row(bnn_row(y, layer->y, o), layer->y, o);
    }
    bnn_close_lanes(y, layer->y);
}

/* acc = +-2 (D - 2^(n - 1) + 1) - W */
static void store_sums(const walk *w, const pair *p, uint32_t k, uint32_t o, uint32_t i, uint32_t *y)
{
    const bnn_map *map = w->layer->sums;
    const int32_t sign = p->flip[k] ? -2 : 2;

    for (uint32_t j = 0, t = i; t < map->length; j++, t += w->layer->x->segment) {
        const uint32_t at = t * map->channels + o;
        uint32_t d = 0;
        for (uint32_t n = w->n; n-- > 0u;) {
            d = d << 1 | ((w->own[n] >> j) & 1u);
        }
        const int32_t acc = sign * ((int32_t)d - (1 << (w->n - 1u)) + 1) - p->balance[k];
        y[at / 2u] |= ((uint32_t)acc & 0xFFFFu) << (16u * (at % 2u));
    }
}

/* The accumulators of the same convolution.
 *
 *   y  the map layer->sums, int16, two to a word; must not overlap x
 *
 * x and scratch as above. Defined by BinaryConv in the simulator.
 */
void bnn_lanes_conv_sum(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const uint32_t n = layer->sums->length * layer->sums->channels;

    for (uint32_t i = 0; i < (n + 1u) / 2u; i++) {
        y[i] = 0u;
    }
    run(layer, x, layer->sums->channels, store_sums, y, scratch);
}
