/* Binary convolution on lanes: 32 positions at a time, counted in bit planes.
 *
 * With u = 0, 1 for the bits of x, P+ and P- the number of ones under weights +1 and -1, S = P+ + P-, N taps, n+ of them +1
 * and W = 2 n+ - N, the accumulator sum w (2 u - 1) is
 *
 *     acc = 2 (P+ - P-) - W = 4 P+ - 2 S - W = 2 S - 4 P- - W
 *
 * S is the same for all output channels, so each needs only one of P+ and P-: half of the taps. A bound is a limit l on the
 * mismatches, of which there are n+ - P+ + P-, as for bnn_conv_threshold():
 *
 *     n+ - P+ + P- < l  is  2 P+ - S >= n+ + 1 - l  or  not 2 P- - S >= l - n+
 *
 * Two output channels go together. Their weights part the taps into four classes; P of the first, up to its sign, is the
 * count of `both` plus `first`, that of the second `both` plus `second`, and the largest class is the one that neither
 * counts. So two channels cost at most three quarters of the taps, and `both` is counted once.
 *
 * Planes. Counters hold D = 2 P - S + 2^(n - 1) - 1, where N < 2^(n - 1). 2 P - S lies in [-N, N], hence D in [0, 2^n - 2]:
 * n planes hold every D that there can be. Before any tap D = 2^(n - 1) - 1 - S, which is S with n - 1 planes inverted.
 */
#include "bnn_lanes_vectors.h"

#include <stddef.h>

/* What the loops of one layer need. Scratch in this order; see bnn_lanes_conv_threshold() for its size. */
typedef struct {
    const bnn_lanes_conv *layer;
    const uint32_t *first;   /* words of x under tap 0 at position 0 */
    uint32_t n, n_sum;       /* planes of D, and of a sum over the input channels */
    uint32_t *start;         /* D before any tap, n planes for each position of the pass */
    uint32_t *sum;           /* S of the position that is next, n planes */
    uint32_t *ring;          /* sums over the input channels, n_sum planes, of the last `kernel` words */
    uint32_t *planes;        /* D of the taps that both channels of a pair count, and of one of the two; each without its lowest plane */
    uint32_t *bits;          /* where a pool follows: what two channels yield at the positions of the pass, and zeros around them */
    uint32_t *rest;
} walk;

/* Planes of a counter up to `count`, as bnn_count() wants them. */
static uint32_t planes_of(uint32_t count)
{
    uint32_t n = 4;

    while (count >> n > 0u) {
        n += 2u;
    }
    return n;
}

static walk begin(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *scratch, uint32_t bits)
{
    walk w;

    w.layer = layer;
    w.first = x + layer->x->margin - layer->pad;
    w.n = planes_of((uint32_t)layer->kernel * layer->x->channels) + 1u;
    w.n_sum = planes_of(layer->x->channels);
    w.start = scratch;
    w.sum = w.start + layer->pass * w.n;
    w.ring = w.sum + w.n;
    w.planes = w.ring + layer->kernel * w.n_sum;
    w.bits = w.planes + 2u * (w.n - 1u);
    w.rest = w.bits + bits;
    for (uint32_t p = 0; p < w.n; p++) {
        w.sum[p] = 0u;
    }
    return w;
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
static void slide(const walk *w, const bnn_offset *list, uint32_t quads, uint32_t i)
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
        bnn_count(w->first + n, list, quads, v, v, w->n_sum);
        add_planes(w, v, 0u);
    }
}

/* D before any tap, for the positions from i to `end`. */
static void prepare(const walk *w, uint32_t i, uint32_t end)
{
    const bnn_lanes *x = w->layer->x;
    const uint32_t quads = (x->channels + 3u) / 4u;
    bnn_offset *const list = (bnn_offset *)w->rest;
    uint32_t *d = w->start;

    for (uint32_t c = 0; c < 4u * quads; c++) {
        list[c] = (bnn_offset)((c < x->channels ? c : x->channels) * x->row);
    }
    for (; i < end; i++) {
        slide(w, list, quads, i);
        for (uint32_t p = 0; p + 1u < w->n; p++) {
            *d++ = ~w->sum[p];
        }
        *d++ = 0u;
    }
}

/* The least D that channel k of the pair wants for as few mismatches as its limit asks, or, where it is flipped, for more. */
static uint32_t bound_of(const walk *w, const bnn_taps *p, uint32_t k)
{
    const uint32_t taps = (uint32_t)w->layer->kernel * w->layer->x->channels;
    const int32_t limit = (int32_t)bnn_limit(w->layer->limits, taps, p->channel[k]);
    const int32_t v = limit - ((int32_t)taps + p->balance[k]) / 2;
    const int32_t least = ((p->flip >> k) & 1u ? v : 1 - v) + (1 << (w->n - 1u)) - 1;
    const int32_t top = (1 << w->n) - 1; /* above every D */

    return least < 0 ? 0u : least > top ? (uint32_t)top : (uint32_t)least;
}

/* Bits of the channels of pair `number` at the positions i .. end - 1 of the pass that begins at i, to `first` and `second`. A tap counts
 * twice, as D has 2 P: what is counted are the planes of D above its lowest. */
static void run_bits(const walk *w, uint32_t number, const bnn_taps *p, const uint16_t *list, uint32_t i, uint32_t end,
                     uint32_t *first, uint32_t *second)
{
    if (w->layer->pairs) {
        w->layer->pairs[number](w->first + i, end - i, w->start, first, second);
        return;
    }
    const bnn_lists lists = {list,
                           3u,
                           {{p->both, NULL, 0u, 0u},
                            {p->first, first, bound_of(w, p, 0u), 0u - (p->flip & 1u)},
                            {p->second, second, bound_of(w, p, 1u), 0u - ((uint32_t)p->flip >> 1)}}};

#ifdef BNN_VECTORS
    if (w->layer->kernel >= BNN_VECTOR_TAPS) {
        bnn_count_vectors(&lists, w->first + i, end - i, w->start, w->n - 1u);
        return;
    }
#endif
    bnn_count_lists(&lists, w->first + i, end - i, w->start, w->planes, w->n - 1u);
}

/* One binary convolution of stride 1, thresholded back to bits: y[o, t] = mismatches[o, t] < limit[o], as derived above.
 *
 *   x        the map layer->x with a margin of at least `pad` words, rows of at least x->margin + segment + kernel - 1 - pad
 *            words, a row of zeros, and at most 65536 words in all
 *   y        the map layer->y with its margins; must not overlap x
 *   scratch  with planes(v) the even number of bits, at least 4, that hold v, n = planes(taps) + 1 and n_sum = planes(x->channels):
 *            (pass + 3) * n - 2 + kernel * n_sum words; and what layer->source takes, or 16-bit offsets of all
 *            input channels in whole quads, whichever is more
 *
 * The taps are at most 32766. Defined by BinaryConv and Threshold in the simulator.
 */
void bnn_lanes_conv_threshold(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const bnn_lanes *map = layer->y;
    const walk w = begin(layer, x, scratch, 0u);

    for (uint32_t i = 0; i < map->segment; i += layer->pass) {
        const uint32_t left = (uint32_t)map->segment - i;
        const uint32_t end = i + (left < layer->pass ? left : layer->pass);
        prepare(&w, i, end);
        for (uint32_t number = 0; 2u * number < map->channels; number++) {
            bnn_taps p;
            const uint16_t *list = layer->source(layer, number, &p, w.rest);
            uint32_t *const row = y + map->margin + i;
            run_bits(&w, number, &p, list, i, end, bnn_row(row, map, p.channel[0]), bnn_row(row, map, p.channel[1]));
        }
    }
    for (uint32_t o = 0; o < map->channels; o++) {
        bnn_close_row(bnn_row(y, map, o), map, o);
    }
    bnn_close_lanes(y, map);
}

/* OR of n words; of the usual number without a loop. */
static inline uint32_t any(const uint32_t *word, uint32_t n)
{
    uint32_t bits = word[0];

    if (n == 7u) {
        return bits | word[1] | word[2] | word[3] | word[4] | word[5] | word[6];
    }
    for (uint32_t k = 1; k < n; k++) {
        bits |= word[k];
    }
    return bits;
}

/* Pool into words g .. end - 1 of a row, of which word 0 begins at `first`, the `words` words that follow pool - 1 zeros and are followed by as
 * many. A word that sees none of them is left as it is. */
static void pool_lane(const bnn_lanes_conv *layer, const uint32_t *bits, uint32_t words, uint32_t first, uint32_t g, uint32_t lane,
                      uint32_t *row)
{
    const uint32_t pool = layer->pool;

    for (first += g * layer->stride; g < layer->y->segment; g++, first += layer->stride) {
        if (first < words + pool - 1u) { /* before the words it wraps to a large number */
            row[g] |= any(bits + first, pool) >> lane;
        }
    }
}

/* Pool into a row of y what a channel has at the positions i .. end - 1. Word n of x under the pool is, beyond the segment,
 * word n - segment with each lane one lower; only the last words of y reach so far. */
static void pool(const bnn_lanes_conv *layer, const uint32_t *bits, uint32_t i, uint32_t end, uint32_t *row)
{
    const uint32_t segment = layer->y->segment;
    const uint32_t crossing = layer->crossing < segment ? layer->crossing : segment;
    uint32_t first = layer->pool - 1u - i;

    pool_lane(layer, bits, end - i, first, 0u, 0u, row);
    for (uint32_t lane = 1; lane < 32u && lane * layer->x->segment < layer->x->segment + layer->pool; lane++) {
        first -= layer->x->segment;
        pool_lane(layer, bits, end - i, first, segment - crossing, lane, row);
    }
}

/* The same with a pool behind it: y[o, t] = OR_j acc[o, t * stride + j] >= t[o], j < pool. The bits before the pool are never
 * there all at once: the rows of y, which fill while the convolution runs, stand closer than they will in the end.
 *
 *   x, scratch  as above, and 2 * pass + 4 * (pool - 1) words of scratch more
 *   y           the map layer->y with its margins. It may overlap x where x begins at least y->channels * y->segment words after y
 *
 * Defined by BinaryConv, Threshold and OrPool in the simulator.
 */
void bnn_lanes_conv_pool(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const bnn_lanes *map = layer->y;
    const uint32_t segment = map->segment;
    const uint32_t around = layer->pool - 1u;
    const uint32_t held = layer->pass + 2u * around;
    const walk w = begin(layer, x, scratch, 2u * held);

    for (uint32_t g = 0; g < map->channels * segment; g++) {
        y[g] = 0u;
    }
    for (uint32_t i = 0; i < layer->x->segment; i += layer->pass) {
        const uint32_t left = (uint32_t)layer->x->segment - i;
        const uint32_t end = i + (left < layer->pass ? left : layer->pass);
        prepare(&w, i, end);
        for (uint32_t k = 0; k < 2u * held; k++) {
            w.bits[k] = 0u; /* around the words of this pass, which may be fewer than those of the last */
        }
        for (uint32_t number = 0; 2u * number < map->channels; number++) {
            bnn_taps p;
            const uint16_t *list = layer->source(layer, number, &p, w.rest);
            run_bits(&w, number, &p, list, i, end, w.bits + around, w.bits + held + around);
            pool(layer, w.bits, i, end, y + p.channel[0] * segment);
            pool(layer, w.bits + held, i, end, y + p.channel[1] * segment);
        }
    }
    for (uint32_t o = map->channels; o-- > 0u;) { /* the last first, as rows move up */
        uint32_t *row = bnn_row(y, map, o);
        for (uint32_t g = segment; g-- > 0u;) {
            row[map->margin + g] = y[o * segment + g];
        }
        bnn_close_row(row, map, o);
    }
    bnn_close_lanes(y, map);
}

/* acc = +-2 (D - 2^(n - 1) + 1) - W, of the 32 positions that begin with i, for channel k of a pair. */
static void store_sums(const walk *w, const bnn_taps *p, uint32_t k, uint32_t i, uint32_t lowest, uint32_t *y)
{
    const uint32_t *const plane = w->planes + w->n - 1u;
    const bnn_map *map = w->layer->sums;
    const int32_t sign = (p->flip >> k) & 1u ? -2 : 2;

    for (uint32_t j = 0, t = i; t < map->length; j++, t += w->layer->x->segment) {
        const uint32_t at = t * map->channels + p->channel[k];
        uint32_t d = 0;
        for (uint32_t n = w->n - 1u; n-- > 0u;) {
            d = d << 1 | ((plane[n] >> j) & 1u);
        }
        d = d << 1 | ((lowest >> j) & 1u);
        const int32_t acc = sign * ((int32_t)d - (1 << (w->n - 1u)) + 1) - p->balance[k];
        y[at / 2u] |= ((uint32_t)acc & 0xFFFFu) << (16u * (at % 2u));
    }
}

/* The accumulators of the same convolution.
 *
 *   y  the map layer->sums, int16, two to a word; must not overlap x
 *
 * x and scratch as for bnn_lanes_conv_threshold(). Defined by BinaryConv in the simulator.
 */
void bnn_lanes_conv_sum(const bnn_lanes_conv *layer, const uint32_t *x, uint32_t *y, uint32_t *scratch)
{
    const uint32_t channels = layer->sums->channels;
    const walk w = begin(layer, x, scratch, 0u);

    for (uint32_t i = 0; i < (layer->sums->length * channels + 1u) / 2u; i++) {
        y[i] = 0u;
    }
    for (uint32_t i = 0; i < layer->x->segment; i += layer->pass) {
        const uint32_t left = (uint32_t)layer->x->segment - i;
        const uint32_t end = i + (left < layer->pass ? left : layer->pass);
        prepare(&w, i, end);
        for (uint32_t number = 0; 2u * number < channels; number++) {
            bnn_taps p;
            const uint16_t *list = layer->source(layer, number, &p, w.rest);
            const bnn_offset *const own[2] = {list + 4u * p.both, list + 4u * ((uint32_t)p.both + p.first)};
            const uint32_t quads[2] = {p.first, p.second};
            uint32_t *const planes = w.planes + w.n - 1u;
            for (uint32_t at = i; at < end; at++) {
                const uint32_t *start = w.start + (at - i) * w.n;
                bnn_count(w.first + at, list, p.both, start + 1, w.planes, w.n - 1u);
                for (uint32_t k = 0; k < (p.channel[1] != p.channel[0] ? 2u : 1u); k++) {
                    bnn_count(w.first + at, own[k], quads[k], w.planes, planes, w.n - 1u);
                    store_sums(&w, &p, k, at, start[0], y);
                }
            }
        }
    }
}
