"""Confidence, withheld answers, and the risk-coverage curve, against plain loops."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import DataError
from bnn.rejection import confidence, reject, risk_coverage

answers = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40)


def split_answers(pairs):
    confidences, right = zip(*pairs, strict=True)
    return np.array(confidences) / 5, np.array(right)


def test_confidence_is_the_softmax_of_the_winner():
    logits = np.array([[0.0, 4.0, 8.0], [1000.0, -1000.0, 0.0], [2.0, 2.0, 2.0]])
    e = np.exp([0.0, 1.0, 2.0])
    np.testing.assert_allclose(confidence(logits, 0.25), [e[2] / e.sum(), 1.0, 1 / 3])


@given(answers, st.integers(0, 5))
def test_rejection_counts(pairs, least):
    confidences, right = split_answers(pairs)
    kept = [r for c, r in pairs if c >= least]
    got = reject(confidences, right, least / 5)
    assert (got.answered, got.windows, got.coverage) == (len(kept), len(pairs), len(kept) / len(pairs))
    assert got.accuracy == (pytest.approx(sum(kept) / len(kept)) if kept else None)
    assert "answered" in got.describe() and (got.interval is None) == (not kept)


@given(answers)
def test_the_curve_is_what_rejection_gives(pairs):
    confidences, right = split_answers(pairs)
    curve = risk_coverage(confidences, right)
    assert curve.threshold.tolist() == sorted(set(confidences.tolist()), reverse=True)
    for threshold, coverage, risk in zip(curve.threshold, curve.coverage, curve.risk, strict=True):
        got = reject(confidences, right, threshold)
        assert (coverage, risk) == (got.coverage, pytest.approx(1 - got.accuracy))
    assert curve.coverage[-1] == 1 and curve.risk[-1] == pytest.approx(1 - right.mean())


def test_the_area_by_hand():
    """Right, wrong, right, right: risks 0, 1/2, 1/3, 1/4."""
    curve = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, True]))
    assert curve.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_equal_confidences_count_in_any_order():
    """The area with ties is the mean over all orders of the tied windows."""
    right = np.array([True, False, True, True, False])
    areas = []
    for order in permutations(range(1, 5)):
        shuffled = right[[0, *order]]
        areas.append(np.mean(np.cumsum(~shuffled) / np.arange(1, 6)))
    got = risk_coverage(np.array([0.9, 0.5, 0.5, 0.5, 0.5]), right)
    assert got.aurc == pytest.approx(np.mean(areas)) and len(got.threshold) == 2


@pytest.mark.parametrize("least", [-0.1, 1.5, float("nan")])
def test_a_threshold_is_a_probability(least):
    with pytest.raises(DataError, match="--min-confidence is .*, wanted a probability from 0 to 1"):
        reject(np.array([0.5]), np.array([True]), least)
