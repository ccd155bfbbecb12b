import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.data.sleep.splits import FOLDS, PROTOCOLS, check_subjects, folds_of, split
from bnn.data.splits import Split
from bnn.errors import DataError

subjects = st.lists(st.integers(0, 30), min_size=3, max_size=120).filter(lambda s: len(set(s)) >= 3)


def owners(epochs, s):
    return [set(epochs.subject[part].tolist()) for part in (s.train, s.val, s.test)]


@settings(max_examples=30)
@given(subjects, st.sampled_from(sorted(PROTOCOLS)), st.integers(0, 2**32))
def test_a_subject_is_in_one_part_and_tested_once(make_epochs, subject, protocol, seed):
    night = [f"{s}-{i % 2}" for i, s in enumerate(subject)]
    epochs = make_epochs([str(s) for s in subject], night)
    tested = []
    for fold in range(folds_of(epochs, protocol)):
        s = split(epochs, protocol, seed, fold)
        parts = owners(epochs, s)
        assert all(parts) and sum(map(len, parts)) == len(set(subject)) == len(set.union(*parts))
        assert np.array_equal(np.sort(np.concatenate([s.train, s.val, s.test])), np.arange(len(subject)))
        tested += sorted(parts[2])
    assert sorted(tested) == sorted({str(s) for s in subject})


def test_folds(make_epochs):
    epochs = make_epochs([f"{i:02d}" for i in range(20)] * 2)
    assert folds_of(epochs, "subjects") == FOLDS and folds_of(epochs, "leave-one-out") == 20
    s = split(epochs, "leave-one-out", fold=7)
    assert owners(epochs, s)[2] == {"07"} and len(owners(epochs, s)[1]) == 2
    assert s.notes[0] == "fold 7 of 20 tests subject 07"
    assert s.notes[1] == "it tests no epoch of stage W, N1, N3, REM"
    assert [len(group) for group in owners(epochs, split(epochs, "subjects"))] == [16, 2, 2]


def test_the_split_of_a_seed_is_for_ever(make_epochs):
    epochs = make_epochs([f"{i % 13:02d}" for i in range(130)])
    digests = {}
    for protocol in PROTOCOLS:
        s = split(epochs, protocol, seed=7, fold=3)
        content = b"|".join(part.astype("<i8").tobytes() for part in (s.train, s.val, s.test))
        digests[protocol] = hashlib.sha256(content).hexdigest()[:12]
    assert digests == {"subjects": "dea09c7cca09", "leave-one-out": "516ee27cb9c7"}
    others = {split(epochs, seed=seed).test.tobytes() for seed in range(6)}
    assert len(others) >= 4


def test_a_subject_on_both_sides_is_refused(make_epochs):
    epochs = make_epochs(list("aabbcc"))
    for parts in (([0, 2], [4], [1]), ([0, 1], [2], [3, 4]), ([0], [1, 2], [4])):
        s = Split("own", 0, 0, *(np.array(part) for part in parts))
        with pytest.raises(
            DataError, match="subject [ab] of made is in the .* part, wanted all nights of a subject in"
        ):
            check_subjects(epochs, s)
    check_subjects(epochs, Split("own", 0, 0, np.array([0, 1]), np.array([2, 3]), np.array([4, 5])))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("windows",), "windows: no such protocol, wanted one of subjects, leave-one-out"),
        (("subjects", 0, 4), "fold 4 is out of range, wanted 0 to 3"),
        (("leave-one-out", 0, -1), "fold -1 is out of range"),
        (("subjects", -1), "seed -1 is negative"),
    ],
)
def test_bad_arguments(make_epochs, arguments, words):
    with pytest.raises(DataError, match=words):
        split(make_epochs(list("abcd")), *arguments)


def test_too_few_subjects(make_epochs):
    with pytest.raises(DataError, match="made has 2 subjects, wanted at least 3"):
        split(make_epochs(list("aabb")))


def test_synthetic_stays_synthetic(make_epochs):
    assert replace(make_epochs(list("abc")), synthetic=True).subset(np.array([0])).synthetic
