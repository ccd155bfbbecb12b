"""Sequences: never across a night or a hole, every epoch once a cut, votes against plain loops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.data.sleep.epochs import EpochSet, Signal
from bnn.data.sleep.sequences import ABSENT, cut, offsets, overlapping, padded, runs, vote
from bnn.errors import DataError


def nights(positions: dict[str, list[int]], shuffle: int | None = None) -> EpochSet:
    """Epochs of one sample a second at these positions of each night, in this or in a drawn order."""
    night = np.array([name for name, where in positions.items() for _ in where])
    position = np.array([p for where in positions.values() for p in where], dtype=np.int64)
    n = len(night)
    signal = Signal(np.zeros((n, 1, 30), np.int16), ("EEG",), fs=1.0, gain=1.0)
    made = EpochSet("nights", {"eeg": signal}, np.zeros(n, np.int64), night, night, position)
    return made if shuffle is None else made.subset(np.random.default_rng(shuffle).permutation(n))


@st.composite
def cases(draw):
    places = st.lists(st.integers(0, 60), min_size=1, max_size=40, unique=True)
    positions = {f"night{k}": draw(places) for k in range(draw(st.integers(1, 3)))}
    return nights(positions, draw(st.integers(0, 9))), draw(st.integers(1, 4)), draw(st.integers(1, 7))


@given(cases())
def test_a_run_stays_in_one_night_and_steps_over_no_hole(case):
    epochs, gap, _ = case
    found = runs(epochs, np.arange(len(epochs)), gap)
    assert sorted(np.concatenate(found)) == list(range(len(epochs)))
    for run in found:
        assert len(set(epochs.night[run])) == 1
        steps = np.diff(epochs.position[run])
        assert (steps >= 1).all() and (steps <= gap).all()
    for one in found:  # no two runs could have been one
        for other in found:
            if epochs.night[one[0]] == epochs.night[other[0]] and one is not other:
                distance = epochs.position[other[0]] - epochs.position[one[-1]]
                assert distance > gap or distance < 0


@given(cases())
def test_a_cut_has_every_epoch_once_and_an_overlap_all_sequences(case):
    epochs, gap, length = case
    for run in runs(epochs, np.arange(len(epochs)), gap):
        for first in range(1, length + 1):
            parts = cut(run, length, first)
            assert np.array_equal(np.concatenate(parts), run)
            assert len(parts[0]) == min(first, len(run)) and all(1 <= len(part) <= length for part in parts)
        parts = overlapping(run, length)
        assert len(parts) == max(len(run) - length, 0) + 1
        assert all(np.array_equal(part, run[k : k + length]) for k, part in enumerate(parts))


@given(cases())
def test_a_vote_is_the_mean_over_the_sequences_that_hold_an_epoch(case):
    epochs, gap, length = case
    sequences = [s for run in runs(epochs, np.arange(len(epochs)), gap) for s in overlapping(run, length)]
    table = padded(sequences, length)
    p = np.random.default_rng(0).random((*table.shape, 5))
    half = len(table) // 2
    got = vote([(table[:half], p[:half]), (table[half:], p[half:])], len(epochs), 5)
    said = [[] for _ in range(len(epochs))]
    for i, sequence in enumerate(sequences):
        for j, row in enumerate(sequence):
            said[row].append(p[i, j])
    np.testing.assert_allclose(got, [np.mean(s, axis=0) for s in said])


def test_holes_as_loaders_leave_them():
    epochs = nights({"a": [0, 1, 2, 5, 6, 20], "b": [21, 22]})
    assert [r.tolist() for r in runs(epochs, np.arange(8))] == [[0, 1, 2], [3, 4], [5], [6, 7]]
    assert [r.tolist() for r in runs(epochs, np.arange(8), gap=3)] == [[0, 1, 2, 3, 4], [5], [6, 7]]
    assert [r.tolist() for r in runs(epochs, np.array([7, 1, 0, 4]))] == [[0, 1], [4], [7]]
    table = padded(runs(epochs, np.arange(8), gap=3), 5)
    assert table.tolist() == [[0, 1, 2, 3, 4], [5] + [ABSENT] * 4, [6, 7] + [ABSENT] * 3]
    assert offsets(epochs, table).tolist() == [[0, 1, 2, 5, 6], [0] * 5, [0, 1, 0, 0, 0]]
    assert runs(epochs, np.array([], np.int64)) == []


def test_what_makes_no_sequence():
    epochs = nights({"a": [0, 1]})
    with pytest.raises(DataError, match="gap is 0, wanted at least 1 epoch"):
        runs(epochs, np.arange(2), gap=0)
    twice = replace(epochs, position=np.zeros(2, np.int64))
    with pytest.raises(DataError, match="night a has two epochs at position 0, wanted one"):
        runs(twice, np.arange(2))
    with pytest.raises(DataError, match="epoch 1 of 2 is in no sequence"):
        vote([(np.array([[0]]), np.ones((1, 1, 5)))], 2, 5)
