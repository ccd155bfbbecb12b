"""python benchmarks/mcu, or python -m benchmarks.mcu: see benchmarks/mcu/table.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that the folder runs by its path, too

from benchmarks.mcu.table import main  # noqa: E402

main()
