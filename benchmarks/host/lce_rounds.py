"""Runs in the environment of the Larq Compute Engine: for each line of input one round, for each round its seconds.

python lce_rounds.py MODEL.tflite WINDOWS.npy
"""

import sys
import time

import numpy as np
from larq_compute_engine.tflite.python.interpreter import Interpreter


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        interpreter = Interpreter(file.read(), num_threads=1)
    windows = np.load(sys.argv[2], allow_pickle=False)[:, :, None, None]
    interpreter.predict(windows[:2])
    for _ in sys.stdin:
        began = time.process_time()
        interpreter.predict(windows)
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    main()
