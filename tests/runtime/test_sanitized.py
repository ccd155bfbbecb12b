"""The same tests with a runtime that AddressSanitizer and UBSan watch, in a process of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = "test_guards_notice_a_write_outside"


def run_sanitized(choice: str) -> subprocess.CompletedProcess:
    """Run tests of this folder that `choice` selects. The sanitizers' libraries must be there before Python is."""
    if not shutil.which("gcc"):
        pytest.skip("gcc, which brings the sanitizers' libraries, is not installed")
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    if not all(os.path.isabs(path) for path in libraries):
        pytest.skip("gcc came without libasan or libubsan")
    env = os.environ | {
        "LD_PRELOAD": ":".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python never gives all back
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "BNN_SANITIZED": "1",
    }
    # With -s the report of a sanitizer reaches us: pytest's own capture would be lost with the process.
    files = [f"tests/runtime/test_{name}.py" for name in ("kernels", "lanes", "integers")]
    options = ["-qs", "-p", "no:cacheprovider", "-p", "no:xdist", *files, "-k"]
    command = [sys.executable, "-m", "pytest", *options, choice]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_kernels_are_clean_under_the_sanitizers():
    done = run_sanitized(f"not {OUTSIDE}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout and "skipped" not in done.stdout


def test_the_sanitizers_do_watch():
    done = run_sanitized(OUTSIDE)
    assert done.returncode != 0
    assert "AddressSanitizer: use-after-poison" in done.stderr and "bnn_or_pool" in done.stderr
