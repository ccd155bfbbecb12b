"""Draw docs/images/size-accuracy.svg from the trained points in benchmarks/front.json.

    python benchmarks/front.py [POINTS.json] [PICTURE.svg]

bnn/report/front.py says what the file of points holds.
"""

import sys
from pathlib import Path

from bnn.report.front import front, read_points
from bnn.report.plots import save

ROOT = Path(__file__).resolve().parents[1]


def main(points: Path = ROOT / "benchmarks" / "front.json", picture: Path = ROOT / "docs/images/size-accuracy.svg"):
    save(front(read_points(points)), picture, force=True)
    print(f"wrote {picture}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
