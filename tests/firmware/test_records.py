import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import DataError, ToolError
from firmware.manifest import Lanes, Trace
from firmware.records import RESULT_ID, check_windows, collect, decode, split_records


def pack_bits(tensor: np.ndarray, first_bit: int) -> bytes:
    """One (C, T) tensor of bits as the target stores it, by the definition and one bit at a time; the rest is noise."""
    channels, times = tensor.shape
    words = [0xDEADBEEF] * ((first_bit + tensor.size + 31) // 32)
    for c in range(channels):
        for t in range(times):
            i = first_bit + t * channels + c
            words[i // 32] &= ~(1 << i % 32)
            words[i // 32] |= int(tensor[c, t]) << i % 32
    return struct.pack(f"<{len(words)}I", *words)


@given(
    st.integers(1, 33),
    st.integers(1, 9),
    st.integers(0, 65),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)
def test_bits_come_back_as_they_were_packed(channels, times, first_bit, n, seed):
    tensors = np.random.default_rng(seed).integers(0, 2, (n, channels, times))
    trace = Trace(0, "bits", "bit", (channels, times), first_bit)
    decoded = decode(trace, [pack_bits(tensor, first_bit) for tensor in tensors])
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, tensors)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32"])
def test_integers_are_stored_time_major(kind):
    tensor = np.arange(-6, 6).reshape(3, 4)  # (C, T)
    stored = np.array([tensor[c, t] for t in range(4) for c in range(3)], kind).tobytes()
    decoded = decode(Trace(0, "acc", kind, (3, 4)), [stored, stored])
    np.testing.assert_array_equal(decoded, [tensor, tensor])
    assert decoded.dtype == kind


def test_a_vector_is_stored_plainly():
    stored = np.array([1, -2, 3], "<i4").tobytes()
    np.testing.assert_array_equal(decode(Trace(0, "v", "int32", (3,)), [stored]), [[1, -2, 3]])


def test_too_few_bytes_are_refused():
    with pytest.raises(ToolError, match=r"acc: 6 bytes were traced, but \(2, 2\) int16 take 8"):
        decode(Trace(0, "acc", "int16", (2, 2)), [bytes(8), bytes(6)])


def test_a_stream_that_ends_inside_a_record_is_refused():
    whole = struct.pack("<II", 3, 4) + b"abcd"
    assert split_records(whole * 2) == [(3, b"abcd")] * 2
    for end in (1, 7, 8, 11):
        with pytest.raises(ToolError, match="ends inside a record"):
            split_records(whole + whole[:end])


def results(n):
    return [(RESULT_ID, struct.pack("<5i", 1, 10, 20, -30, 40))] * n


def test_a_missing_window_is_noticed(manifest):
    with pytest.raises(ToolError, match="toy: 2 of 3 windows came back"):
        collect(results(2), 3, manifest, traced=False)


def test_a_missing_tensor_is_noticed(manifest):
    with pytest.raises(ToolError, match="toy: stats was traced 0 times in 1 windows"):
        collect(results(1), 1, manifest, traced=True)


def test_a_tensor_that_the_manifest_does_not_know_is_noticed(manifest):
    with pytest.raises(ToolError, match="toy: trace 77 is not in the manifest"):
        collect([(77, b""), *results(1)], 1, manifest, traced=False)


def test_results_are_sorted_into_arrays(manifest):
    result = collect(results(2), 2, manifest, traced=False)
    np.testing.assert_array_equal(result.classes, [1, 1])
    np.testing.assert_array_equal(result.logits, [[10, 20, -30, 40]] * 2)
    assert result.tensors == {}


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        (np.zeros((2, 63), np.int16), r"windows have shape \(2, 63\), but 64 samples a window are wanted"),
        (np.zeros(64, np.int16), r"windows have shape \(64,\), but 64 samples"),
        (np.zeros((2, 64)), r"windows are float64, but raw ADC integers \(int16\) are wanted"),
        (np.full((1, 64), 40000), r"windows reach from 40000 to 40000, outside int16"),
    ],
)
def test_windows_that_do_not_fit_are_refused(manifest, windows, words):
    with pytest.raises(DataError, match=words):
        check_windows(windows, manifest)


def test_lanes_are_read_by_their_definition():
    """Bit j of word first_word + i of a row is step j * segment + i."""
    rng = np.random.default_rng(0)
    value = rng.integers(0, 2, (2, 3, 70)).astype(np.uint8)
    lanes = Lanes(segment=4, row=7, first_word=2)
    words = np.zeros((2, 3, 7), "<u4")
    for t in range(70):
        words[:, :, 2 + t % 4] |= value[:, :, t].astype(np.uint32) << (t // 4)
    trace = Trace(0, "a", "bit", (3, 70), 0, lanes)
    np.testing.assert_array_equal(decode(trace, [row.tobytes() for row in words]), value)
    with pytest.raises(ToolError, match=r"^a: 80 bytes were traced, but \(3, 70\) bit take 84"):
        decode(trace, [row.tobytes()[:80] for row in words])


@given(st.integers(1, 70), st.integers(1, 9), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_rows_of_a_stream_come_back_as_they_were(channels, times, n, seed):
    """Each row is a record that begins at a word; windows follow one another."""
    rng = np.random.default_rng(seed)
    bits, sums = rng.integers(0, 2, (n, channels, times)), rng.integers(-448, 449, (n, channels, times))
    rows = [pack_bits(bits[i, :, t : t + 1], 0) for i in range(n) for t in range(times)]
    np.testing.assert_array_equal(decode(Trace(0, "bits", "bit", (channels, times), rows=True), rows), bits)
    words = [
        np.append(sums[i, :, t], [7] * (channels % 2)).astype("<i2").tobytes() for i in range(n) for t in range(times)
    ]
    decoded = decode(Trace(0, "sums", "int16", (channels, times), rows=True), words)
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, sums)


def test_a_missing_row_is_noticed(manifest):
    rows = replace(manifest, traces=(Trace(3, "bits", "bit", (3, 5), rows=True),))
    records = [(3, b"\0\0\0\0")] * 9 + results(2)
    with pytest.raises(ToolError, match="toy: bits was traced 9 times in 2 windows, not 5 times each"):
        collect(records, 2, rows, traced=True)
