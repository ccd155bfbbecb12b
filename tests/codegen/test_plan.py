"""The plan: what is fused, what is stored and with which margin, what the C backend does not run."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from bnn.errors import GraphError
from bnn.graph import Graph, Signal, Stage, ops
from codegen import costs, make_plan
from codegen.plan import scratch_name
from tests.codegen.models import CORNERS, ecg_graph, plain_bounds, seeded, shared_accumulators, tiny_graph
from tests.graphs import graphs, int16, signs, small_graph


def steps_of(graph) -> list[tuple[str, str]]:
    return [(step.kernel, step.output) for step in make_plan(graph).steps]


def test_a_convolution_that_is_only_compared_is_never_stored():
    assert steps_of(tiny_graph()) == [
        ("window_stats", "stats"),
        ("signal_conv_threshold", "bits1"),
        ("or_pool", "pool1"),
        ("conv_sum", "acc2"),
        ("prelu_sum16", "logits"),
    ]
    assert "acc1" not in make_plan(tiny_graph()).tensors


def test_two_thresholds_on_one_convolution_are_two_calls_that_share_its_weights():
    b = seeded().signal_conv("acc1", 4).threshold("bits1").conv("acc2", 6)
    b.threshold("low").or_pool("low.pool")
    b.top = "acc2"
    b.threshold("high").or_pool("high.pool").add(ops.AndNot("between", ("low.pool", "high.pool")))
    graph = b.conv("acc3", 2).prelu_sum().graph()
    plan = make_plan(graph)
    assert [s.output for s in plan.steps if s.kernel == "conv_threshold"] == ["low", "high"]
    cost = {c.name: c for c in costs(plan)}
    assert cost["low"].constant_bytes == 4 * 3 + 6 and cost["high"].constant_bytes == 6
    assert cost["low"].macs == cost["high"].macs == 6 * 4 * 3 * 54


def test_accumulators_with_other_readers_are_stored():
    kernels = dict((output, kernel) for kernel, output in steps_of(shared_accumulators()))
    assert kernels["wide"] == "conv_sum" and kernels["wide.bits"] == "threshold16"
    assert kernels["narrow.bits"] == "conv_threshold" and "narrow" not in kernels
    kernels = dict((output, kernel) for kernel, output in steps_of(plain_bounds()))
    assert (kernels["acc1"], kernels["low"], kernels["max1"]) == ("signal_conv_sum", "threshold32", "max_pool32")


def test_the_margin_is_the_widest_that_a_reader_needs():
    plan = make_plan(shared_accumulators())
    assert plan.tensors["bits1"].margin == 5 and plan.tensors["bits1"].first_bit == 5 * 8
    assert plan.tensors["wide.bits"].margin == 0


def two_readers(first, second):
    """A map that two convolutions read, padding with the given values."""
    b = seeded().signal_conv("acc1", 3).threshold("bits1")
    b.conv("left", 2, pad=1, pad_value=first).threshold("left.bits")
    b.top = "bits1"
    b.conv("right", 2, pad=1, pad_value=second).threshold("right.bits")
    b.add(ops.AndNot("both", ("left.bits", "right.bits")))
    return b.conv("last", 2).prelu_sum().graph()


def test_a_map_has_one_pad_value():
    pad = make_plan(two_readers([1, -1, 1], [1, -1, 1])).tensors["bits1"].pad
    np.testing.assert_array_equal(pad, [1, 0, 1])
    assert make_plan(two_readers([1, 1, 1], [1, 1, 1])).tensors["bits1"].pad is None
    with pytest.raises(
        GraphError, match=r"^bits1: left pads it with other values than right does, but one map has one"
    ):
        make_plan(two_readers([1, -1, 1], [1, 1, 1]))


def test_what_the_logits_do_not_need_is_left_out():
    graph = small_graph()
    spare = ops.Threshold("spare", ("block1.acc", "stats"), int16([1] * 5), 3)
    more = graph.with_nodes(lambda nodes: [*nodes, spare, ops.OrPool("spare.pool", ("spare",), 2, 2)])
    assert steps_of(more) == steps_of(graph)


@given(graphs())
def test_steps_read_what_lies_in_memory(graph):
    plan = make_plan(graph)
    known = {plan.signal.name}
    for step in plan.steps:
        assert known.issuperset(step.inputs)
        known.add(step.output)
    stored = {step.output for step in plan.steps} - {plan.logits}
    assert set(plan.memory.offsets) == stored | {scratch_name(step) for step in plan.steps if step.scratch}
    assert plan.arena_bytes == 4 * plan.memory.words >= 4 * plan.memory.lower_bound


def test_costs_add_up_to_the_networks_own():
    """28280 weights at one bit, 8 bounds, 144 limits, 5 rows of factors; the multiply-accumulates of the literature."""
    entries = costs(make_plan(ecg_graph()))
    assert sum(c.macs for c in entries) == 5_937_008
    assert sum(c.constant_bytes for c in entries) == 4 * -(-56 // 32) + (28280 - 56) // 8 + 2 * 8 + 144 + 5 * (
        2 + 2 + 4
    )


def test_a_pad_value_other_than_one_costs_its_words():
    def pads(value):
        return {c.name: c.constant_bytes for c in costs(make_plan(two_readers(value, value)))}["bits1"]

    assert pads([1, -1, 1]) - pads([1, 1, 1]) == 4


def test_the_logical_dialect_is_refused():
    with pytest.raises(
        GraphError, match=r"^block1: Interval does not run on a target; run the passes of bnn.lower first"
    ):
        make_plan(small_graph("logical"))


def one_stage(*nodes):
    signal = Signal("ecg", 1, 30, 360.0, 200.0)
    return Graph("odd", ("a", "b"), (signal,), (Stage("main", ("ecg",), nodes, "logits"),))


def last(source: str, channels: int = 2):
    n = int16([1] * channels)
    return ops.PReluSum("logits", (source,), n, n, np.zeros(channels, np.int32), 0)


def test_a_signal_is_read_by_the_first_layer_only():
    bits = ops.Threshold("bits", ("ecg",), int16([1000]))
    conv = ops.BinaryConv("acc", ("bits",), signs(np.random.default_rng(0), 2, 1, 3), np.ones(1, np.int8), 1, 0)
    with pytest.raises(GraphError, match=r"^bits: reads the signal ecg, which in C a Threshold does not"):
        make_plan(one_stage(bits, conv, last("acc")))


def test_sizes_beyond_the_structs_are_refused():
    acc = ops.SignalConv("acc", ("ecg", "stats"), np.ones((2, 1), np.int8), 70000, 0)
    with pytest.raises(
        GraphError, match=r"^acc: stride is 70000, but the C backend holds it in 16 bits; the limit is 65535"
    ):
        make_plan(one_stage(ops.WindowStats("stats", ("ecg",)), acc, last("acc")))
    many = ops.SignalConv("acc", ("ecg", "stats"), np.ones((70000, 1), np.int8), 1, 0)
    graph = one_stage(ops.WindowStats("stats", ("ecg",)), many, last("acc", 70000))
    graph = replace(graph, classes=tuple(f"c{i}" for i in range(70000)))
    with pytest.raises(
        GraphError, match=r"^acc: int32 \(70000, 30\) is beyond the C backend's limits of 65535 channels"
    ):
        make_plan(graph)


def test_every_corner_has_a_plan_close_to_its_bound():
    for make in CORNERS:
        memory = make_plan(make()).memory
        assert memory.lower_bound <= memory.words <= 1.25 * memory.lower_bound


def test_ecg_network_needs_one_map_and_a_half():
    """The arena is a figure of the project: a change of it should be seen."""
    memory = make_plan(ecg_graph()).memory
    assert (4 * memory.words, 4 * memory.lower_bound) == (2720, 2348)
