"""The core works without the libraries that only real recordings need."""

import subprocess
import sys

CORE_ONLY = """
import sys

for missing in ("wfdb", "scipy", "pandas", "edfio", "torch"):
    sys.modules[missing] = None

from bnn.data import ecg, signals, splits, synthetic
from bnn.data.records import Recording, read_record
from bnn.data.sleep import splits as by_subject
from bnn.data.sleep.edf import open_edf
from bnn.data.sleep.resample import resample
from bnn.data.sleep.synthetic import synthetic_nights
from bnn.errors import ToolError
import numpy as np

windows = synthetic.synthetic_set("ecg5", 3)
print(len(splits.split(windows, "stratified").test))
print(len(by_subject.split(resample(synthetic_nights(3, 1, 2), 50)).test))
other_rate = Recording("r", np.zeros(999), 100.0, 200.0, 0, "")
for call in (lambda: read_record("100"), lambda: signals.to_adc(other_rate), lambda: open_edf("night")):
    try:
        call()
    except ToolError as error:
        print(error)
"""


def test_without_wfdb_scipy_edfio_torch():
    done = subprocess.run([sys.executable, "-c", CORE_ONLY], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    tested, tested_nights, no_wfdb, no_scipy, no_edfio = done.stdout.splitlines()
    assert (tested, tested_nights) == ("5", "2")
    assert no_wfdb.startswith("wfdb is not installed") and "pip install 'bnn-wearables[records]'" in no_wfdb
    assert no_scipy.startswith("scipy is not installed, and resampling from 100 to 360 Hz needs it")
    assert no_edfio.startswith("edfio is not installed") and "pip install 'bnn-wearables[sleep]'" in no_edfio
