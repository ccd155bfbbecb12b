"""The choice of kernels: limits are kept, the faster plan wins, and what cannot be is said with figures."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.errors import GraphError
from codegen import Options, choose, lanes
from codegen.plan import outline
from codegen.taps import SOURCES
from tests.codegen.models import LANES, PLAIN, ecg_graph, lanes_graph, tiny_graph
from tests.graphs import graphs


def total(choice) -> int:
    return sum(choice.instructions.values())


def test_lanes_are_chosen_where_they_are_faster():
    free, plain = choose(ecg_graph(), "cortex-m4"), choose(ecg_graph(), "cortex-m4", PLAIN)
    assert free.kernels == "lanes from block1.bits to block6.acc, 0 copies between layouts"
    assert total(free) * 3 < total(plain) and free.plan.arena_bytes <= 4096
    assert choose(tiny_graph(), "cortex-m4").kernels == "plain kernels"


@pytest.mark.parametrize("limit", [2720, 3000, 4096, 5000, 6000])
def test_the_limit_of_ram_is_kept_and_more_of_it_is_never_slower(limit):
    choice = choose(ecg_graph(), "cortex-m0", Options(max_ram=limit))
    more = choose(ecg_graph(), "cortex-m0", Options(max_ram=limit + 1000))
    assert choice.plan.arena_bytes <= limit and total(more) <= total(choice)


def test_the_limit_of_flash_is_kept():
    free = choose(ecg_graph(), "cortex-m4")
    small = choose(ecg_graph(), "cortex-m4", Options(max_flash=free.flash - 1))
    assert small.flash < free.flash and total(small) > total(free)


def test_more_flash_buys_lists_of_taps_and_then_code():
    """Where it saves the most first, and only as far as the limit goes."""
    choices = [choose(ecg_graph(), "cortex-m4", Options(max_flash=limit)) for limit in (13600, 16384, 28000, 65536)]
    levels = [{s.output: SOURCES.index(s.taps) for s in c.plan.steps if s.taps} for c in choices]
    assert [total(c) for c in choices] == sorted((total(c) for c in choices), reverse=True)
    assert [sum(level.values()) for level in levels] == sorted(sum(level.values()) for level in levels)
    assert max(levels[0].values()) == SOURCES.index("matched")
    assert levels[-1]["block2"] == SOURCES.index("unrolled")
    assert levels[-1]["block6.acc"] == SOURCES.index("listed")  # code yields bits, never sums
    assert choices[1].flash == choose(ecg_graph(), "cortex-m4").flash <= 16384


@pytest.mark.parametrize("options", [Options(max_ram=2000), Options("lanes", 9000), Options(max_flash=10, max_ram=10)])
def test_impossible_limits_are_refused_with_the_least_there_is(options):
    with pytest.raises(GraphError, match=r"^graph toy: no choice of kernels for cortex-m4 keeps to --") as error:
        choose(ecg_graph(), "cortex-m4", options)
    assert str(options) in str(error.value) and "raise the limits" in str(error.value)
    assert 2000 < int(re.search(r"least RAM (\d+) B", str(error.value))[1]) <= 2720 or options.kernels == "lanes"


def test_a_word_that_is_no_kind_of_kernel():
    with pytest.raises(GraphError, match=r"^--kernels fast: wanted one of auto, plain, lanes"):
        choose(tiny_graph(), "cortex-m4", Options("fast"))


@settings(max_examples=30)
@given(graphs(), st.sampled_from(["cortex-m0", "rv32imc"]))
def test_plans_in_lanes_hang_together(graph, target):
    """Segments keep the ratios of the steps that join maps, and 32 of them hold each map."""
    plan = choose(graph, target, LANES).plan
    able = {step.output for step in outline(graph).steps if lanes.has_variant(step)}
    for step in plan.steps:
        assert step.copy or step.in_lanes == (step.output in able) or step.output in able
        maps = [plan.tensors[name] for name in (*step.inputs, step.output) if plan.tensors.get(name)]
        held = [tensor for tensor in maps if tensor.in_lanes]
        assert all(tensor.length <= 32 * tensor.segment for tensor in held)
        if step.in_lanes and not step.copy:
            units = {plan.tensors[name].segment / ratio for name, ratio in lanes.ratios(step)}
            assert len(units) == 1


def test_two_sided_bounds_stay_in_lanes():
    choice = choose(lanes_graph(), "cortex-m4", LANES)
    assert {step.kernel for step in choice.plan.steps} >= {"lanes_and_not", "lanes_or_pool", "lanes_conv_sum"}
