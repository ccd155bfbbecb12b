"""The downloader against a server of our own on this machine."""

import hashlib
import http.server
import socket
import threading

import pytest

from bnn.data.download import Item, fetch, problem_of, verify
from bnn.errors import DataError, FileError

FILES = {"a.dat": bytes(range(256)) * 600, "b.hea": b"b 2 360 100\n"}
ITEMS = tuple(Item(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items())


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.cut_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.asked, server.cut_after = dict(FILES), [], None
    server.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def stored(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.exists() else {}


def test_everything_arrives(server, tmp_path):
    assert fetch(server.url, ITEMS, tmp_path / "db") == 2
    assert stored(tmp_path / "db") == FILES


def test_it_goes_on_where_it_stopped(server, tmp_path):
    (tmp_path / "a.dat").write_bytes(FILES["a.dat"])
    (tmp_path / "b.hea").write_bytes(b"b 2 360 999\n")  # right size, wrong content
    assert fetch(server.url, ITEMS, tmp_path) == 1
    assert server.asked == ["/b.hea"] and stored(tmp_path) == FILES
    assert fetch(server.url, ITEMS, tmp_path) == 0 and server.asked == ["/b.hea"]


@pytest.mark.parametrize("content", [FILES["a.dat"][::-1], FILES["a.dat"] + b"more"])
def test_wrong_content(server, tmp_path, content):
    server.files["a.dat"] = content
    with pytest.raises(DataError, match="a.dat: wrong checksum, sha256 is .* wanted .*BNN_DATA"):
        fetch(server.url, ITEMS, tmp_path)
    assert stored(tmp_path) == {}


def by_sha1(name):
    """The item of a table that tells no size, such as Sleep-EDF's."""
    return Item(name, None, hashlib.sha1(FILES[name]).hexdigest(), "sha1")


def test_sizes_may_be_unknown(server, tmp_path):
    items = tuple(map(by_sha1, FILES))
    (tmp_path / "b.hea").write_bytes(b"b 2 360 999\n")
    assert fetch(server.url, items, tmp_path) == 2 and stored(tmp_path) == FILES
    assert problem_of(tmp_path, items[0]) == "" and verify(tmp_path, items) == 2
    server.files["a.dat"] = b"another"
    (tmp_path / "a.dat").unlink()
    with pytest.raises(DataError, match="a.dat: wrong checksum, sha1 is "):
        fetch(server.url, items, tmp_path)
    server.files["a.dat"], server.cut_after = FILES["a.dat"], 1000
    with pytest.raises(DataError, match="a.dat: the connection was cut after 1000 of 153600 bytes"):
        fetch(server.url, items, tmp_path)


def test_file_not_there(server, tmp_path):
    del server.files["b.hea"]
    with pytest.raises(DataError, match="b.hea: the server answers 404 .*try again later"):
        fetch(server.url, ITEMS, tmp_path)
    assert stored(tmp_path) == {"a.dat": FILES["a.dat"]}


@pytest.mark.parametrize("cut", [0, 1000, 100_000])
def test_connection_cut(server, tmp_path, cut):
    server.cut_after = cut
    with pytest.raises(DataError, match=f"a.dat: the connection was cut after {cut} of 153600 bytes"):
        fetch(server.url, ITEMS, tmp_path)
    assert stored(tmp_path) == {}


def test_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(DataError, match="a.dat: cannot be fetched .*connect to the internet, or set BNN_DATA"):
            fetch(url, ITEMS, tmp_path)


def test_silent_server_times_out(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DataError, match="cannot be fetched .*timed out"):
            fetch(url, ITEMS, tmp_path, timeout=0.1)
    assert stored(tmp_path) == {}


def test_unwritable_folder(server, tmp_path):
    (tmp_path / "db").write_text("a file where the folder should be")
    with pytest.raises(FileError, match="db: cannot be written to; set XDG_CACHE_HOME"):
        fetch(server.url, ITEMS, tmp_path / "db")


def test_problems_are_told_apart(tmp_path):
    item = ITEMS[1]
    assert problem_of(tmp_path, item) == "missing"
    (tmp_path / item.name).write_bytes(b"short")
    assert problem_of(tmp_path, item) == "5 bytes, wanted 12"
    (tmp_path / item.name).write_bytes(b"b 2 360 999\n")
    assert problem_of(tmp_path, item).startswith("sha256 ")
