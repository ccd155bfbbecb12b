from pathlib import Path

import pytest

from bnn.data import mitdb as database
from bnn.data.download import Item, read_manifest, verify
from bnn.errors import DataError


def test_parts_of_the_database():
    """De Chazal's halves and the paced records make up all 48, and the manifest has three files for each."""
    assert (len(database.DS1), len(database.DS2), len(database.RECORDS)) == (22, 22, 48)
    assert len(set(database.RECORDS)) == 48
    names = {item.name for item in read_manifest("mitdb")}
    assert names == {f"{r}.{e}" for r in database.RECORDS for e in ("hea", "dat", "atr")}


def test_bnn_data_comes_first(monkeypatch, tmp_path):
    (tmp_path / "mitdb").mkdir()
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    assert database.locate() == tmp_path / "mitdb"


def test_bnn_data_without_the_records(monkeypatch, tmp_path):
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    with pytest.raises(DataError, match="mitdb: no such folder, though BNN_DATA is .* or unset BNN_DATA"):
        database.locate()


def test_cache_is_filled_once(monkeypatch, tmp_path):
    calls = []

    def fetch(url, items, folder):
        calls.append(url)
        folder.mkdir(parents=True)
        for item in items:
            (folder / item.name).touch()

    monkeypatch.delenv("BNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(database, "fetch", fetch)
    folder = tmp_path / "bnn-wearables" / "mitdb"
    assert database.locate() == folder and database.locate() == folder
    assert calls == ["https://physionet.org/files/mitdb/1.0.0/"]
    (folder / "100.dat").unlink()
    monkeypatch.setattr(database, "fetch", lambda *_: calls.append("again"))
    database.locate()
    assert calls[1:] == ["again"]


def test_unknown_database(monkeypatch):
    monkeypatch.delenv("BNN_DATA", raising=False)
    with pytest.raises(DataError, match="edb: no such database to fetch, wanted mitdb, nstdb"):
        database.locate("edb")


def test_a_bare_name_is_looked_up(monkeypatch, tmp_path):
    (tmp_path / "mitdb").mkdir()
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert database.find_record("100") == tmp_path / "mitdb" / "100"
    assert database.find_record("mine/100.hea") == Path("mine/100")
    assert database.find_record("999") == Path("999")
    (tmp_path / "100.hea").touch()
    assert database.find_record("100") == Path("100")


def test_verify_names_the_first_problem(tmp_path):
    items = (
        Item("1.hea", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Item("2.hea", 3, "00"),
    )
    (tmp_path / "1.hea").touch()
    with pytest.raises(DataError, match=r"1 of 2 files are missing or damaged, the first is 2.hea \(missing\)"):
        verify(tmp_path, items)
    assert verify(tmp_path, items[:1]) == 1


def test_the_records_here_are_the_published_ones(mitdb):
    assert verify(mitdb, read_manifest("mitdb")) == 144
