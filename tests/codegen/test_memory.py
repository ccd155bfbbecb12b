"""The arena: buffers that live together never meet, unless writing over is allowed and then from far enough ahead."""

from hypothesis import given
from hypothesis import strategies as st

from codegen import make_plan
from codegen.memory import Block, place
from codegen.overlap import leads
from codegen.plan import blocks_of
from tests.graphs import graphs


@st.composite
def blocks(draw) -> tuple[list[Block], dict[tuple[str, str], int]]:
    """Lives of any length, and pairs that may overlap where one ends as the other begins."""
    items = []
    for i in range(draw(st.integers(1, 9))):
        first = draw(st.integers(0, 6))
        items.append(Block(f"b{i}", draw(st.integers(1, 40)), first, first + draw(st.integers(0, 3))))
    pairs = [(a.name, b.name) for a in items for b in items if a is not b and a.first == b.last]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3)) if pairs else []
    return items, {pair: draw(st.integers(0, 50)) for pair in chosen if tuple(reversed(pair)) not in chosen}


def assert_kept_apart(items, allowed, memory) -> None:
    at = memory.offsets
    for a in items:
        assert 0 <= at[a.name] and at[a.name] + a.words <= memory.words
        for b in items:
            if a.name < b.name and a.lives_with(b):
                apart = at[a.name] + a.words <= at[b.name] or at[b.name] + b.words <= at[a.name]
                over = (a.name, b.name) in allowed and at[a.name] + allowed[a.name, b.name] <= at[b.name]
                over |= (b.name, a.name) in allowed and at[b.name] + allowed[b.name, a.name] <= at[a.name]
                assert apart or over, (a, b, at)


@given(blocks())
def test_no_two_live_blocks_overlap(case):
    items, allowed = case
    memory = place(items, allowed)
    assert_kept_apart(items, allowed, memory)
    assert max(b.words for b in items) <= memory.lower_bound <= memory.words


@given(graphs())
def test_plans_of_graphs_are_sound(graph):
    plan = make_plan(graph)
    items = blocks_of(plan.steps, plan.tensors, {plan.logits})
    assert_kept_apart(items, leads(plan.steps, plan.tensors), plan.memory)


@given(blocks())
def test_the_same_blocks_are_placed_the_same(case):
    assert place(*case) == place(*case)


def test_an_output_may_begin_before_the_input_it_overwrites():
    blocks = [Block("x", 10, 0, 1), Block("y", 12, 1, 2)]
    assert place(blocks, {}).words == 22
    memory = place(blocks, {("y", "x"): 3})
    assert (memory.offsets, memory.words, memory.lower_bound) == ({"x": 3, "y": 0}, 13, 13)


def test_nothing_needs_no_arena():
    assert place([], {}).words == 0
