"""Figures against plain loops and against torchmetrics."""

import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from torchmetrics.functional import accuracy, cohen_kappa, confusion_matrix, f1_score, precision, recall

from bnn import metrics
from bnn.errors import DataError

CLASSES = ("N", "S", "V", "F")
labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def some_labels(n=500, seed=3):
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 4, n)
    return y_true, np.where(rng.random(n) < 0.7, y_true, rng.integers(0, 4, n))


@given(labels)
def test_against_a_plain_loop(pairs):
    y_true, y_pred = np.array(pairs).T
    got = metrics.report(y_true, y_pred, CLASSES)
    assert got.windows == len(pairs)
    assert got.accuracy == pytest.approx(sum(t == p for t, p in pairs) / len(pairs))
    for i, c in enumerate(got.classes):
        hits = sum(t == p == i for t, p in pairs)
        support, predicted = sum(t == i for t, _ in pairs), sum(p == i for _, p in pairs)
        assert (c.name, c.support) == (CLASSES[i], support)
        assert c.sensitivity == (pytest.approx(hits / support) if support else None)
        assert c.positive_predictivity == (pytest.approx(hits / predicted) if predicted else None)
        assert got.confusion[i] == tuple(sum(pair == (i, p) for pair in pairs) for p in range(4))


def test_against_torchmetrics():
    y_true, y_pred = some_labels()
    got = metrics.report(y_true, y_pred, CLASSES)
    t, p = torch.from_numpy(y_true), torch.from_numpy(y_pred)
    how = dict(task="multiclass", num_classes=4)
    assert got.accuracy == pytest.approx(accuracy(p, t, **how, average="micro").item())
    assert got.macro_f1 == pytest.approx(f1_score(p, t, **how, average="macro").item())
    np.testing.assert_array_equal(got.confusion, confusion_matrix(p, t, **how).numpy())
    sensitivities = [c.sensitivity for c in got.classes]
    np.testing.assert_allclose(sensitivities, recall(p, t, **how, average="none").numpy(), rtol=1e-6)
    assert got.kappa == pytest.approx(cohen_kappa(p, t, **how).item())
    predictivities = [c.positive_predictivity for c in got.classes]
    np.testing.assert_allclose(predictivities, precision(p, t, **how, average="none").numpy(), rtol=1e-6)


# A worked example of the jk index: rows N S V F, 100 windows.
CONFUSION = np.array([[60, 5, 3, 2], [4, 6, 0, 0], [2, 1, 12, 0], [1, 0, 2, 2]])


def test_the_jk_index_by_hand():
    j = 6 / 10 + 6 / 12 + 12 / 15 + 12 / 17
    chance = (70 * 67 + 10 * 12 + 15 * 17 + 5 * 4) / 100**2
    kappa = (0.80 - chance) / (1 - chance)
    assert metrics.kappa(CONFUSION) == pytest.approx(kappa)
    assert metrics.jk_index(CONFUSION, CLASSES) == pytest.approx(kappa / 2 + j / 8)


def test_the_jk_index_of_a_perfect_and_of_a_blind_classifier():
    right = np.arange(4).repeat(3)
    assert metrics.report(right, right, CLASSES).jk == pytest.approx(1.0)
    assert metrics.report(right, np.zeros(12, int), CLASSES).jk == pytest.approx(0.0)


def test_the_jk_index_is_of_aami_classes_that_occur():
    with_q = np.pad(CONFUSION, (0, 1))
    assert metrics.jk_index(with_q, (*CLASSES, "Q")) == pytest.approx(metrics.jk_index(CONFUSION, CLASSES))
    assert metrics.jk_index(CONFUSION, ("a", "b", "c", "d")) is None
    without_v = CONFUSION * (np.arange(4) != 2)[:, None]
    assert metrics.jk_index(without_v, CLASSES) is None


def test_kappa_of_a_single_class():
    assert metrics.kappa(np.array([[5, 0], [0, 0]])) == 1.0


@given(labels)
def test_intervals_hold_their_figures(pairs):
    for c in metrics.report(*np.array(pairs).T, CLASSES).classes:
        for name in ("sensitivity", "positive_predictivity", "f1"):
            value, interval = getattr(c, name), getattr(c, f"{name}_interval")
            assert (value is None) == (interval is None)
            if value is not None:
                assert 0 <= interval[0] <= value + 1e-12 and value - 1e-12 <= interval[1] <= 1


def test_a_class_that_never_occurs_has_no_figures():
    got = metrics.report(np.array([0, 0, 1]), np.array([0, 1, 1]), CLASSES)
    assert (got.classes[3].sensitivity, got.classes[3].positive_predictivity, got.classes[3].f1) == (None, None, None)
    assert got.macro_f1 == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_wilson_interval_of_the_published_figure():
    low, high = metrics.wilson(195, 200)
    assert (round(low, 3), round(high, 3)) == (0.943, 0.989)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_bounds_solve_its_equation(case):
    hits, total = case
    p = hits / total
    for bound in metrics.wilson(hits, total):
        assert 0 <= bound <= 1
        assert (p - bound) ** 2 == pytest.approx(metrics.Z_95**2 * bound * (1 - bound) / total, abs=1e-9)


def test_json():
    got = metrics.report(*some_labels(), CLASSES)
    again = json.loads(json.dumps(got.to_dict()))
    assert again["classes"][2]["name"] == "V"
    assert again["confusion"] == [list(row) for row in got.confusion]


@pytest.mark.parametrize(
    ("y_true", "y_pred", "words"),
    [
        ([0, 1], [0], r"labels have shape \(2,\) and predictions \(1,\); give one of each"),
        ([], [], "for at least one window"),
        ([0, 4], [0, 1], "label of window 1 is 4, but the 4 classes are numbered 0 to 3; were the labels made for"),
        ([0, 1], [-1, 1], "prediction of window 0 is -1"),
    ],
)
def test_bad_labels(y_true, y_pred, words):
    with pytest.raises(DataError, match=words):
        metrics.report(np.array(y_true), np.array(y_pred), CLASSES)


@pytest.mark.parametrize("synthetic", [True, False])
def test_the_screen_names_protocol_part_and_synthetic_signals(synthetic):
    out = io.StringIO()
    figures = metrics.report(*some_labels(), CLASSES)
    shown = metrics.render(figures, title="ecg5", protocol="stratified, seed 0", part="test", synthetic=synthetic)
    Console(file=out, width=110).print(shown)
    assert "protocol stratified, seed 0, test part, 500 windows" in out.getvalue()
    assert f"accuracy {figures.accuracy:.2%}" in out.getvalue()
    assert ("SYNTHETIC" in out.getvalue()) == synthetic
    cells = [line.split() for line in out.getvalue().splitlines()]
    for i, (row, c) in enumerate(zip(figures.confusion, figures.classes, strict=True)):
        assert [str(i), c.name, *(str(n or "·") for n in row)] in cells
        assert f"{c.sensitivity:.1%}" in out.getvalue()
