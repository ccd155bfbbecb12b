"""Tests. This file is imported before NumPy and torch are, and so can say how many cores they take."""

import os

# One process, one core: `pytest -n` shares the machine out.
os.environ.setdefault("OMP_NUM_THREADS", "1")
