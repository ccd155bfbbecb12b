import numpy as np
import pytest

from bnn.data.samples import read_samples
from bnn.errors import DataError


@pytest.mark.parametrize("text", ["1.5\n-2\n3e2\n", "ecg\n1.5\n-2\n3e2\n", "1.5,\n-2,\n3e2,\n".replace(",", "")])
def test_text(tmp_path, text):
    file = tmp_path / "heart.csv"
    file.write_text(text)
    recording = read_samples(file, fs=128, gain=1)
    assert recording.signal.tolist() == [1.5, -2.0, 300.0]
    assert (recording.name, recording.fs, recording.gain, recording.adc_zero) == ("heart", 128.0, 1.0, 0)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint8])
def test_npy(tmp_path, shape, dtype):
    np.save(tmp_path / "a.npy", np.arange(5, dtype=dtype).reshape(shape))
    recording = read_samples(tmp_path / "a.npy", fs=360, gain=200, adc_zero=3)
    assert recording.signal.dtype == np.float64 and recording.signal.tolist() == [0, 1, 2, 3, 4]
    assert recording.adc_zero == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "1\nnan\n3\ninf\n", "sample 1 is nan, wanted a finite number; 2 of 4 samples are affected"),
        ("a.csv", "1,2\n3,4\n", r"array of shape \(2, 2\), wanted one column"),
        ("a.csv", "", "wanted one column of samples"),
        ("a.csv", "heading\n", "wanted one column of samples"),
        ("a.csv", "1\ntwo\n", "not a column of numbers"),
        ("a.csv", b"\xff\xfe\x00\x80", "not a column of numbers"),
        ("a.npy", b"no array", "not a .npy array of numbers"),
        ("a.npy", b"", "not a .npy array of numbers"),
    ],
)
def test_bad_content(tmp_path, name, content, words):
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError, match=words):
        read_samples(file, fs=360, gain=200)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([{"a": 1}], dtype=object), "not a .npy array of numbers"),
        (np.array(["1", "2"]), "holds <U1, wanted an array of real numbers"),
        (np.zeros((3, 4)), r"array of shape \(3, 4\), wanted one column"),
        (np.array(3.0), r"array of shape \(\)"),
    ],
)
def test_bad_arrays(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        read_samples(tmp_path / "a.npy", fs=360, gain=200)


@pytest.mark.parametrize(
    ("fs", "gain", "words"), [(0, 1, "--fs is 0"), (360, -2, "--gain is -2"), (np.nan, 1, "--fs is nan")]
)
def test_bad_numbers(tmp_path, fs, gain, words):
    with pytest.raises(DataError, match=words):
        read_samples(tmp_path / "a.csv", fs=fs, gain=gain)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="a.csv: no such file"):
        read_samples(tmp_path / "a.csv", fs=360, gain=1)
