import numpy as np
import pytest

from bnn.data.records import read_annotations, read_record
from bnn.errors import DataError

RAMP = np.arange(-500, 1500)


def test_a_record_comes_back_as_written(write_record):
    path = write_record(RAMP, fs=250.0, gain=100.0, zero=12)
    lead = read_record(path, "V5")
    assert lead.signal.dtype == np.int16
    np.testing.assert_array_equal(lead.signal, RAMP + 1)
    assert (lead.fs, lead.gain, lead.adc_zero, lead.lead, lead.name) == (250.0, 100.0, 12, "V5", "rec")
    np.testing.assert_array_equal(read_record(f"{path}.hea").signal, RAMP)


@pytest.mark.parametrize(("unit", "gain"), [("mV", 100.0), ("uV", 100_000.0), ("V", 0.1)])
def test_gain_is_per_millivolt(write_record, unit, gain):
    assert read_record(write_record(RAMP, gain=100.0, unit=unit)).gain == pytest.approx(gain)


def test_a_lead_that_is_no_voltage(write_record):
    with pytest.raises(DataError, match="record rec, lead ABP: its unit is mmHg, wanted a voltage"):
        read_record(write_record(RAMP, leads=("ABP",), unit="mmHg"), "ABP")


def test_record_of_several_segments(tmp_path):
    (tmp_path / "long.hea").write_text("long/2 2 360 200\npart1 100\npart2 100\n")
    with pytest.raises(DataError, match=r"a record of several segments, .* give a segment \(part1, part2"):
        read_record(tmp_path / "long")


def test_unknown_lead_lists_the_leads(write_record):
    with pytest.raises(DataError, match="record rec: no lead MLII, the record has V1, V5; .*--lead"):
        read_record(write_record(RAMP, leads=("V1", "V5")))


def test_missing_files(write_record, tmp_path):
    with pytest.raises(DataError, match="nothing.hea: no such file, wanted the record's header"):
        read_record(tmp_path / "nothing")
    path = write_record(RAMP)
    path.with_suffix(".dat").unlink()
    with pytest.raises(DataError, match="rec.dat: no such file, wanted the record's samples"):
        read_record(path)
    with pytest.raises(DataError, match="rec.atr: no such file, wanted the record's annotations"):
        read_annotations(path)


@pytest.mark.parametrize("keep", [0, 1, 1001, 7996])
def test_truncated_samples(write_record, keep):
    path = write_record(RAMP)
    file = path.with_suffix(".dat")
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DataError, match=f"rec.dat: truncated or damaged, {keep} bytes do not hold the 2000 samples"):
        read_record(path)


def test_one_flipped_bit_is_found_by_the_checksum(write_record):
    path = write_record(RAMP)
    file = path.with_suffix(".dat")
    content = bytearray(file.read_bytes())
    content[400] ^= 4
    file.write_bytes(content)
    with pytest.raises(DataError, match="record rec, lead MLII: the samples' checksum is .* fetch rec.dat again"):
        read_record(path)


def test_missing_samples_are_refused(write_record):
    signal = RAMP.copy()
    signal[[70, 90]] = -32768  # what format 16 writes for "no sample"
    with pytest.raises(DataError, match="2 samples are missing, the first is sample 70"):
        read_record(write_record(signal))


@pytest.mark.parametrize(
    "header",
    [b"", b"garbage", b"\x80\xff\x00\x91", b"rec 2 360 100\nrec.dat 16 200 11 1024 0 0 0 MLII\n", b"rec 0 360 1\n"],
)
def test_unreadable_headers(write_record, header):
    path = write_record(RAMP)
    path.with_suffix(".hea").write_bytes(header)
    with pytest.raises(DataError, match="rec"):
        read_record(path)


@pytest.mark.parametrize("content", [b"", b"\x01\x02\x03", bytes(range(1, 200))])
def test_damaged_annotations(write_record, content):
    path = write_record(RAMP)
    path.with_suffix(".atr").write_bytes(content)
    with pytest.raises(DataError, match="rec.atr: .*fetch the file again"):
        read_annotations(path)


def test_lead_by_name_where_the_order_differs(mitdb):
    """Record 114 has V5 first: reading the first column instead of MLII would give the other lead."""
    import wfdb

    both = wfdb.rdrecord(str(mitdb / "114"), physical=False)
    assert both.sig_name == ["V5", "MLII"]
    np.testing.assert_array_equal(read_record(mitdb / "114", "MLII").signal, both.d_signal[:, 1])
    np.testing.assert_array_equal(read_record(mitdb / "114", "V5").signal, both.d_signal[:, 0])


def test_a_record_without_the_usual_lead(mitdb):
    with pytest.raises(DataError, match="record 102: no lead MLII, the record has V5, V2"):
        read_record(mitdb / "102")


def test_annotations_of_a_real_record(mitdb):
    sample, symbol = read_annotations(mitdb / "100")
    assert len(sample) == len(symbol) == 2274 and np.all(np.diff(sample) >= 0)
    assert {s: int((symbol == s).sum()) for s in "NAV"} == {"N": 2239, "A": 33, "V": 1}
