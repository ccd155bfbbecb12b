"""The committed golden vectors: what make.py writes, what the simulator says, and worth comparing with."""

import numpy as np
import pytest

from bnn.graph import check, gate
from bnn.sim import simulate
from tests.golden import HERE, NAMES, STAGED, load_golden
from tests.golden.make import CASES, make

golden = pytest.mark.parametrize("name", NAMES)
every = pytest.mark.parametrize("name", [*NAMES, STAGED])


def test_every_case_is_committed():
    assert set(NAMES) == {case.__name__ for case in CASES}


@every
def test_the_simulator_equals_them(name):
    case = load_golden(name)
    result = simulate(case.graph, case.signals, keep="all")
    assert list(result.tensors) == [n for n in check(case.graph, "target")]
    assert result.tensors.keys() == case.tensors.keys()
    for tensor, want in case.tensors.items():
        np.testing.assert_array_equal(result.tensors[tensor], want, err_msg=tensor)
    np.testing.assert_array_equal(result.classes, case.classes)


def test_make_writes_the_committed_bytes(tmp_path):
    make(tmp_path)
    names = {path.name for path in HERE.iterdir() if path.suffix in (".graph", ".safetensors")}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (HERE / name).read_bytes(), f"{name}: run python -m tests.golden.make"


def test_stages_differ_and_gates_part_the_windows():
    case = load_golden(STAGED)
    assert case.path.stat().st_size < 40000
    for name, kind in check(case.graph).items():
        values = case.tensors[name]
        assert 0.1 < values.mean() < 0.9 if kind.kind == "bit" else len(np.unique(values)) > 2, name
    doubt = case.tensors["eeg.doubt"]
    assert len(set(gate.leaves(doubt, gate.even_speed(doubt)))) == 2
    assert not np.array_equal(case.tensors["eeg.logits"].argmax(axis=1), case.classes)


@golden
def test_they_are_small_and_show_something(name):
    """A map that is all 0 or all 1 would hide most mistakes."""
    case = load_golden(name)
    assert case.path.stat().st_size < 3500
    for tensor, kind in check(case.graph).items():
        if kind.kind == "bit":
            assert 0.1 < case.tensors[tensor].mean() < 0.9, tensor
        else:
            assert len(np.unique(case.tensors[tensor])) > 2, tensor
    assert len(set(case.classes)) > 1 or name in ("extremes", "ties")


def test_the_hard_cases_are_in_them():
    extremes, ties, raw = (load_golden(name) for name in ("extremes", "ties", "raw_sum"))
    assert (extremes.tensors["block1"][:, 0] == 1).all() and (extremes.tensors["block1"][:, 1] == 0).all()
    bound = 32766 * extremes.tensors["stats"][:, 1].astype(np.int64)
    assert (bound > 2**31).any(), "no bound passes 32 bits"
    assert 1 in extremes.tensors["stats"][:, 1], "no window is constant"
    assert extremes.tensors["ecg"].min() == -32768 and extremes.tensors["ecg"].max() == 32767
    assert (ties.tensors["logits"] < 0).all() and set(ties.classes) == {1}
    assert (ties.tensors["logits"][:, 1] == ties.tensors["logits"][:, 2]).all()
    assert np.abs(raw.tensors["acc"]).max() > 2**17
    pads = [node.pad_value for node in load_golden("two_sided").graph.nodes() if hasattr(node, "pad_value")]
    assert all(-1 in pad and 1 in pad for pad in pads)
