"""bnn report: the page has what was measured, needs no other file, and its pictures are to scale."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from bnn import zoo
from bnn.cli.report import Answers, examples, read_epochs, unseen
from bnn.cli.subject import Part, open_part, open_subject
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import FileError
from bnn.metrics import report as figures_of
from bnn.report import ecg_paper, plots
from bnn.report.confusion import confusion
from bnn.report.front import Point, best, front, read_points

POINT = {"name": "a", "bytes": 4648, "accuracy": 0.95, "sd": 0.01, "protocol": "kfold", "set": "ecg17"}


class Links(HTMLParser):
    """Collects what a page would fetch, and its headings."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.headings, self._in_heading = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._in_heading = tag == "h2"
        self.links += [value for key, value in attributes if key in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        if self._in_heading:
            self.headings.append(data)
            self._in_heading = False


@pytest.fixture
def run_folder(tmp_path):
    """The zoo's network as a run folder with two logs, the second of a resumed run."""
    folder = tmp_path / "run"
    for version, epochs in ((2, (0, 1, 2)), (10, (2, 3))):
        logs = folder / "logs" / f"version_{version}"
        logs.mkdir(parents=True)
        lines = [f"{e},0.01,9,{0.5 + e / 10},{2.0 - e / 10 - version / 100}" for e in epochs]
        (logs / "metrics.csv").write_text("epoch,lr,step,train_accuracy,train_loss\n" + "\n".join(lines) + "\n")
    (folder / "model.safetensors").write_bytes(zoo.model_path("ecg17").read_bytes())
    return folder


def test_the_page_of_a_run(bnn, mitdb, run_folder, tmp_path):
    (tmp_path / "points.json").write_text(json.dumps([POINT]))
    ran = bnn("report", run_folder, "--front", tmp_path / "points.json")
    assert ran.code == 0, ran.err
    text = (run_folder / "report.html").read_text()
    page = Links(text)
    assert page.headings == ["Figures", "Learning", "Classes", "Doubtful windows left unanswered"] + [
        "Wrong answers", "Right answers", "Size and accuracy"]  # fmt: skip
    assert all(link.startswith(("#", "data:")) for link in page.links) and "@import" not in text
    figures = json.loads(bnn("evaluate", run_folder, "--min-confidence", 0.9, "--json").out)
    assert f"{figures['accuracy']:.2%}" in text and f"{figures['macro_f1']:.3f}" in text
    assert f"{figures['rejection']['answered']} of 200 windows are answered" in text
    assert "record 202 MLII at 19:20.0: labelled APB, answered AFIB" in text
    assert "may have seen these windows" not in text
    assert bnn("report", run_folder).code == 2  # not without --force


def test_the_page_of_a_graph(bnn, mitdb, tmp_path, monkeypatch):
    """Without a run there are no learning curves; another split than that of the training is said to be one."""
    monkeypatch.chdir(tmp_path)
    ran = bnn("report", "ecg5", "--set", "aami", "--protocol", "inter-patient")
    assert ran.code == 0, ran.err
    text = (tmp_path / "ecg5-report.html").read_text()
    figures = json.loads(bnn("evaluate", "ecg5", "--set", "aami", "--protocol", "inter-patient", "--json").out)
    assert "Learning" not in Links(text).headings and "may have seen these windows" in text
    assert "jk index (Mar et al. 2011)" in text and f"{figures['jk']:.3f}" in text


def test_unseen_is_the_split_of_the_training(mitdb):
    subject = open_subject("ecg17")
    assert unseen(subject, open_part(subject))
    assert not unseen(subject, open_part(subject, seed=1)) and not unseen(subject, open_part(subject, protocol="kfold"))


def test_a_later_log_counts(run_folder):
    epochs = read_epochs(run_folder)
    assert set(epochs) == {"train_loss", "train_accuracy"}
    assert epochs["train_loss"][0] == [1, 2, 3, 4]
    assert epochs["train_loss"][1] == pytest.approx([1.98, 1.88, 1.70, 1.60])
    assert read_epochs(run_folder / "logs") == {}


def test_examples_are_the_surest_mistake_of_a_record_and_the_largest_classes():
    y = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    said = np.array([0, 0, 1, 1, 2, 0, 2, 2, 2])
    record = np.array(list("xxyxxyzzz"))
    windows = WindowSet("made", ("a", "b", "c"), np.zeros((9, 4), np.int16), y, record, y)
    part = Part(windows, Split("paper", 0, 0, np.array([9]), np.array([], int), np.arange(9)), "test")
    sure = np.array([0.9, 0.9, 0.5, 0.9, 0.8, 0.6, 0.3, 0.9, 0.9])
    wrong, right = examples(part, Answers(said, sure, figures_of(y, said, windows.classes)))
    assert wrong.tolist() == [4, 5] and right.tolist() == [6, 0, 3]


def test_paper_is_to_scale():
    """25 mm a second, 10 mm a millivolt; lines every 1 and 5 mm, and the trace where its voltage says."""
    x = np.full(3600, 1024, dtype=np.int16)
    x[360:720] = 1224  # 1 mV, from second 1 to 2
    figure = ecg_paper.strip(x, 360.0, 200.0, 1024, "title")
    axis = figure.axes[0]
    wide, high = axis.get_window_extent().size / figure.dpi * 25.4
    assert wide == pytest.approx(250) and high == pytest.approx(20)  # -0.5 to 1.5 mV
    fine, bold, trace = axis.lines
    for line, millimetres in ((fine, 1), (bold, 5)):
        assert np.count_nonzero(np.isnan(line.get_xdata())) == 250 / millimetres + 1 + 20 / millimetres + 1
    inverse = axis.transData.transform([(1.0, 0.0), (2.0, 1.0)]) / figure.dpi * 25.4
    assert np.diff(inverse, axis=0)[0] == pytest.approx([25, 10])
    assert trace.get_ydata()[360] == 1.0
    plots.to_svg(figure)


def test_dark_cells_have_light_numbers():
    """And a class without windows is named so."""
    figure = confusion(("a", "b", "c"), np.array([[9, 1, 0], [3, 7, 0], [0, 0, 0]]))
    cells = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert cells == {"9": "white", "7": "white", "1": plots.INK, "3": plots.INK}
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c (none)"]
    plots.to_svg(figure)


def test_the_front_is_of_what_nothing_beats():
    points = [Point(str(i), size, accuracy, None, "p", "s") for i, (size, accuracy) in enumerate(
        [(1000, 0.8), (2000, 0.7), (2000, 0.9), (3000, 0.9), (4000, 0.95)])]  # fmt: skip
    assert [p.name for p in best(points)] == ["0", "2", "4"]
    text = plots.to_svg(front(points))
    assert all(f">{p.name}<" in text for p in points)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not readable as JSON"),
        ("[]", "holds no list of points"),
        ("[3]", "point 0 has int, wanted name, bytes, accuracy, sd, protocol, set"),
        (json.dumps([POINT, {"name": "b"}]), "point 1 has name, wanted"),
        (json.dumps([{**POINT, "bytes": "4 KB"}]), "bytes of point 0 is '4 KB', wanted int"),
        (json.dumps([{**POINT, "accuracy": 95.0}]), "point 0 is out of range"),
    ],
)
def test_points_that_are_none(tmp_path, content, words):
    (tmp_path / "points.json").write_text(content)
    with pytest.raises(FileError, match=re.escape(words)):
        read_points(tmp_path / "points.json")


def test_points_are_read(tmp_path):
    (tmp_path / "points.json").write_text(json.dumps([POINT, {**POINT, "sd": None, "accuracy": 1}]))
    assert read_points(tmp_path / "points.json")[0] == Point(**POINT)


def test_bad_use(refused, mitdb, tmp_path):
    assert "wanted a probability" in refused("report", "ecg17", "--min-confidence", 2)
    (tmp_path / "r.json").write_text("[]")
    assert "bnn robustness" in refused("report", "ecg17", "--robustness", tmp_path / "r.json")
    assert "zoo" in refused("report", "ecg18")
