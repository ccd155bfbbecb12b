"""Where 5-class networks err: by the number of abnormal beats in a window, and by what its labels are worth.

    python benchmarks/errors.py ecg5 ecg5-float [RUN ...]

Test parts, each under its network's own protocol and seed. Abnormal are beats of AAMI classes other than N. A window's
labels agree where the published one is that of its annotated beats (`bnn.data.annotations.window_class`).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the file runs by its path, too

from bnn.cli.common import out, table  # noqa: E402
from bnn.cli.subject import open_part, open_subject  # noqa: E402
from bnn.data import mitdb  # noqa: E402
from bnn.data.annotations import CLASS_OF_BEAT  # noqa: E402
from bnn.data.ecg import WINDOW, load  # noqa: E402
from bnn.data.records import read_annotations  # noqa: E402
from bnn.data.windows import WindowSet  # noqa: E402

COUNTS = {"no abnormal beat": (0, 0), "1": (1, 1), "2": (2, 2), "3 or 4": (3, 4), "5 or more": (5, WINDOW)}


def abnormal_beats(windows: WindowSet) -> np.ndarray:
    """(n,) int: the annotated beats of classes other than N in each window."""
    count = np.empty(len(windows), dtype=np.int64)
    for record in np.unique(windows.record):
        sample, symbol = read_annotations(mitdb.locate() / str(record))
        abnormal = sample[[CLASS_OF_BEAT.get(s, "N") != "N" for s in symbol]]
        rows = np.flatnonzero(windows.record == record)
        begin = windows.start[rows]
        count[rows] = np.searchsorted(abnormal, begin + WINDOW) - np.searchsorted(abnormal, begin)
    return count


def labels_agree(windows: WindowSet) -> np.ndarray:
    """(n,) bool, for windows of the set ecg5."""
    published, annotated = load("ecg5"), load("ecg5-annotations")
    place = {key: i for i, key in enumerate(zip(published.record, published.start, strict=True))}
    rows = [place[key] for key in zip(windows.record, windows.start, strict=True)]
    return (published.y == annotated.y)[rows]


def groups(windows: WindowSet) -> dict[str, np.ndarray]:
    """Windows by what is told apart, (n,) bool each."""
    count, agree = abnormal_beats(windows), labels_agree(windows)
    found = {name: (count >= low) & (count <= high) for name, (low, high) in COUNTS.items()}
    return {"all": count >= 0, **found, "labels agree": agree, "labels differ": ~agree}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/errors.py", description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="+", help="a name of the zoo, a graph, a run folder; of the set ecg5")
    for model in parser.parse_args().model:
        subject = open_subject(model)
        part = open_part(subject)
        wrong = subject.logits(part.windows.x).argmax(axis=1) != part.windows.y
        title = f"{model}: {part.protocol()}, test part"
        shown = table("windows with", title=title, numbers=("windows", "wrong", "share"))
        for name, members in groups(part.windows).items():
            shown.add_row(name, f"{members.sum()}", f"{wrong[members].sum()}", f"{wrong[members].mean():.1%}")
        out.print(shown)


if __name__ == "__main__":
    main()
