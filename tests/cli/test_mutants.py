"""The proof must fail where it should: mistakes planted in kernels, weights and thresholds are found and named."""

import re

import numpy as np
import pytest

from bnn import zoo
from bnn.cli.common import OpenGraph
from bnn.cli.generate import write_sources
from bnn.cli.verify import prove
from bnn.data.synthetic import synthetic_set
from bnn.graph import load
from bnn.sim import simulate
from codegen import KERNELS, Options

PLAIN = {
    "bnn_conv.c": [
        ("row, w.words) < limit", "row, w.words) <= limit", "block2.bits"),
        ("w.first + t * w.step", "w.first + t * w.step + 1u", "block2.bits"),
        ("window[i] ^ row[i]", "window[i] & row[i]", "block2.bits"),
        ("(w.taps - 2u * mismatches", "(w.taps - mismatches", "block6.acc"),
    ],
    "bnn_signal_conv.c": [
        (": stats[1];", ": 0;", "block1.bits"),
        ("- stats[0]", "", "block1.bits"),
        ("layer->stride - layer->pad", "layer->stride", "block1.bits"),
    ],
    "bnn_stats.c": [
        ("+ length, 2u * length", ", 2u * length", "block1.stats"),
        ("sum += x[0] + x[1]", "sum += x[0] + x[0]", "block1.stats"),
    ],
    "bnn_bounds.c": [("(size + ((1u << frac) - 1u))", "size", "block1.bits")],
    "bnn_or_pool.c": [
        ("j < layer->kernel", "j + 1u < layer->kernel", "block1.pool"),
        ("bits |=", "bits ^=", "block1.pool"),
    ],
    "bnn_bits.c": [("map->pad ? map->pad[c / 32u] : bnn_ones(n)", "0u", "block2.bits")],
    "bnn_max_pool.c": [("j < layer->kernel", "j + 1u < layer->kernel", "block6")],
    "bnn_prelu_sum.c": [("fall * down", "fall * (down + 1u)", "logits")],
    "bnn_argmax.c": [("> ", "< ", "class (as shipped)")],
}
TAPS = {"block2": 56, "block3": 112, "block4": 224, "block5": 224}
LANES = {
    "bnn_lanes_signal.c": [
        ("return bits ^ c->flip;", "return bits;", "block1.bits"),
        ("weights & 1u ? bound : 1 - bound", "weights & 1u ? bound : -bound", "block1.bits"),
        ("w->stats[0] * balance", "w->stats[0] + balance", "block1.bits"),
        ("sums[3] = plus + last", "sums[3] = plus - last", "block1.bits"),
        ("(uint32_t)least * w->unit - w->sign", "(uint32_t)least * w->unit", "block1.bits"),
        (": w->stats[1];", ": 0;", "block1.bits"),
    ],
    "bnn_lanes_conv.c": [
        ("& 1u ? v : 1 - v)", "& 1u ? v : -v)", "block2"),
        ("*d++ = ~w->sum[p];", "*d++ = w->sum[p];", "block2"),
        ("w->n_sum ? v[p] : 0u) ^ invert", "w->n_sum ? v[p] : 0u)", "block2"),
        ("const int32_t sign = (p->flip >> k) & 1u ? -2 : 2;", "const int32_t sign = 2;", "block6.acc"),
        ("word[5] | word[6]", "word[5]", "block2"),
        ("any(bits + first, pool) >> lane", "any(bits + first, pool) >> (0u * lane)", "block2"),
        ("for (uint32_t g = segment; g-- > 0u;)", "for (uint32_t g = 0; g < segment; g++)", "block2"),
    ],
    "bnn_lanes_adders.h": [("return *z ^ t;", "return *z & t;", "block2")],
    "bnn_lanes_count.c": [
        ("carry |= bnn_add_one(&s.eights, eight);", "carry = bnn_add_one(&s.eights, eight);", "block2"),
        ("ripple(to + 4, to + 4, to + n,", "ripple(to + 4, to + 4, to + 6,", "block3"),
        ("^ part->flip", "", "block2"),
        ("bound & 1u ? lowest : 0xFFFFFFFFu", "lowest", "block2"),
    ],
    "bnn_lanes_taps.c": [
        ("c * row + k, row)", "c * row, row)", "block2"),
        ("held->flip = (uint16_t)out;", "held->flip = 0u;", "block2"),
        ("layer->order ? layer->order[next] : next", "next", "block2"),
    ],
    "bnn_lanes.c": [
        ("row[i + map->segment] << 1 | pad", "row[i + map->segment] << 1", "block2"),
        ("row[i - map->segment] >> 1", "row[i - map->segment]", "block2"),
    ],
    "bnn_lanes_pool.c": [("first += layer->stride", "first += 1u", "block1.pool"), (">> lane", ">> 0", "block1.pool")],
}
STREAM = {
    "bnn_stream.c": [
        ("append(layer, state, layer->pad);", "append(layer, state, row);", "block2.bits"),
        ("row ? *row : bnn_ones(bits)", "row ? *row : 0u", "block3.bits"),
        (": (const uint32_t *)&head->stats[1]", ": (const uint32_t *)&head->stats[0]", "block1.bits"),
        ("add_signal(net, state, &head->stats[1])", "add_signal(net, state, &head->stats[0])", "block1.bits"),
        ("head->sum = 0;", "", "block1.stats"),
        ("- head->stats[0]", "+ head->stats[0]", "block1.bits"),
        ("lines[1] << (32u - bits)", "lines[1] << bits", "block1.pool"),
    ],
    "bnn_stream_kept.c": [("kept[head->taken - taken + i]", "kept[i]", "block1.bits")],
    "bnn_stream_signal.c": [
        ("rest - both", "rest + both", "block1.bits"),
        ("n > 2u ? d[2] : 0", "0", "block1.bits"),
    ],
    "bnn_stream_conv.c": [
        ("~high[n - 1u]", "high[n - 1u]", "block2.bits"),
        ("DIFFER(6), DIFFER(7)", "DIFFER(6), DIFFER(6)", "block2.bits"),
        ("w + 8, bits >> 8", "w + 8, bits", "block2.bits"),
        ("low.eights, eight, other, carry);", "low.eights, eight, other, carry); carry = 0;", "block2.bits"),
        ("layer->taps - 2u * mismatches", "layer->taps - mismatches", "block6.acc"),
    ],
    "bnn_stream_sum.c": [
        ("v > 0 ? layer->rise[c] : layer->fall[c]", "layer->rise[c]", "logits"),
        ("(uint32_t)layer->bias[c]", "0u", "logits"),
    ],
}
LISTED = {
    "bnn_lanes_listed.c": [
        ("before->both + before->first", "before->both", "block3"),
        ("layer->taps + number", "layer->taps + 0u * number", "block3"),
    ],
}
UNROLLED = {
    "bnn_lanes_unrolled.c": [("layer->taps[number]", "layer->taps[0u * number]", "block2")],
    "bnn_lanes_adders.h": [
        ("*z = c ^ second.differ;", "*z = c;", "block2"),
        ("const uint32_t carry = *z & bit;", "const uint32_t carry = *z | bit;", "block2"),
    ],
}
VECTORS = {
    "bnn_lanes_vectors.c": [
        ("*z = c ^ second.differ;", "*z = c;", "block2"),
        ("ripple(s->high, high, add_one(&eights, add_one(&fours, four)));", "(void)four;", "block2"),
        ("copy(&own, &both, high);", "begin(&own, start, high);", "block2"),
        ("^ part->flip, positions - i", ", positions - i", "block2"),
        ("COMPARE(carry, s->eights, bound, 16u);", "", "block2"),
    ],
    "bnn_lanes_signal_vectors.c": [
        ("gather(x + k, where)", "gather(x, where)", "block1.bits"),
        ("plus = tap[0] + tap[1]", "plus = tap[0] - tap[1]", "block1.bits"),
        ("(uint16_t)(least - minus)", "(uint16_t)least", "block1.bits"),
        ("bytes[1] << 8", "bytes[1] << 16", "block1.bits"),
    ],
}
SMALL, LIST, LARGE = (Options("lanes", max_flash=limit) for limit in (13600, 28000, 65536))
CASES = [
    (options, file, *mutant)
    for options, kinds in (
        (Options("plain"), PLAIN),
        (SMALL, LANES),
        (LIST, LISTED),
        (LARGE, UNROLLED),
        (Options(stream=True), STREAM),
    )
    for file, mutants in kinds.items()
    for mutant in mutants
]


@pytest.fixture(scope="module")
def opened():
    path = zoo.graph_path("ecg5")
    return OpenGraph(path, load(path), "0" * 64)


@pytest.fixture(scope="module")
def expected(opened):
    x = synthetic_set("ecg5", per_class=2, seed=5).x
    return x, simulate(opened.graph, {"ecg": x}, keep="all")


@pytest.fixture(params=[Options("plain")], ids=str)
def sources(request, opened, tmp_path):
    return write_sources(opened, tmp_path / "c", target="cortex-m4", options=request.param)


def first_difference(sources, expected):
    x, wanted = expected
    return prove(sources, "host", x, wanted, opt="-O1").difference


@pytest.mark.parametrize(
    "sources", [*map(Options, KERNELS), SMALL, LARGE, Options(stream=True)], ids=str, indirect=True
)
def test_sources_as_generated_are_right(sources, expected):
    assert first_difference(sources, expected) is None


@pytest.mark.parametrize("sources, file, old, new, tensor", CASES, indirect=["sources"])
def test_mistake_in_a_kernel(sources, expected, file, old, new, tensor):
    path = sources / file
    text = path.read_text()
    assert old in text, f"{file} has changed; mend the mutant"
    path.write_text(text.replace(old, new))
    difference = first_difference(sources, expected)
    assert difference is not None and difference.tensor == tensor
    assert difference.got != difference.wanted


@pytest.fixture
def in_vectors(opened, tmp_path):
    """C for a core with vectors, which the host is told to take, too."""
    folder = write_sources(opened, tmp_path / "c", target="cortex-m55", options=Options(max_flash=18432))
    header = folder / "bnn_lanes_vectors.h"
    header.write_text("#define BNN_VECTORS 1\n" + header.read_text())
    return folder


def test_vectors_as_generated_are_right(in_vectors, expected):
    assert first_difference(in_vectors, expected) is None


@pytest.mark.parametrize("file, old, new, tensor", [(file, *m) for file, found in VECTORS.items() for m in found])
def test_mistake_in_a_kernel_of_vectors(in_vectors, expected, file, old, new, tensor):
    test_mistake_in_a_kernel(in_vectors, expected, file, old, new, tensor)


@pytest.mark.parametrize("layer", ["block1", "block2", "block3", "block4", "block5", "block6"])
def test_one_wrong_weight(sources, expected, layer):
    path = sources / "ecg5.c"
    text, n = re.subn(
        rf"(static const uint32_t {layer}_acc_weights\[\d+\] = {{\s*0x)([0-9A-Fa-f]+)",
        lambda found: f"{found[1]}{int(found[2], 16) ^ 1:08X}",
        path.read_text(),
        count=1,
    )
    assert n == 1
    path.write_text(text)
    difference = first_difference(sources, expected)
    assert difference is not None and difference.tensor == (f"{layer}.acc" if layer == "block6" else f"{layer}.bits")


@pytest.mark.parametrize("layer", TAPS)
def test_one_wrong_threshold(sources, expected, layer):
    """A threshold that is off by two, the step of an accumulator, in the first channel that ever changes its mind."""
    x, wanted = expected
    acc = wanted.tensors[f"{layer}.acc"]
    path = sources / "ecg5.c"
    head, values, tail = re.split(rf"({layer}_bits_(?:t|limits)\[\d+\] = {{[^}}]*}})", path.read_text(), maxsplit=1)
    numbers = [int(number) for number in re.findall(r"-?\d+", values.partition("{")[2])]
    of_mismatches = "_limits" in values  # plain kernels store what mismatches must stay below
    on_edge = [(acc[:, c] == (TAPS[layer] - 2 * (n - 1) if of_mismatches else n)).any() for c, n in enumerate(numbers)]
    numbers[int(np.argmax(on_edge))] += -1 if of_mismatches else 2
    assert any(on_edge)
    path.write_text(f"{head}{values.partition('{')[0]}{{{', '.join(map(str, numbers))}}}{tail}")
    difference = first_difference(sources, expected)
    assert difference is not None and difference.tensor == f"{layer}.bits"
    assert (difference.got, difference.wanted) == (0, 1)


def test_the_command_leaves_with_code_1(bnn, monkeypatch):
    """A runtime with a mistake, through `bnn verify`."""
    import bnn.cli.generate as generate

    original = generate.write_sources

    def with_mistake(*arguments, **options):
        folder = original(*arguments, **options)
        path = folder / "bnn_lanes_pool.c"
        path.write_text(path.read_text().replace("first += layer->stride", "first += 1u"))
        return folder

    monkeypatch.setattr(generate, "write_sources", with_mistake)
    ran = bnn("verify", "ecg17", "--on", "host", "--windows", 1)
    assert ran.code == 1
    assert "DIFFERS" in ran.out and "block1[" in ran.out
