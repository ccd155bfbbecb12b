"""Running windows on an emulated core: Unicorn, in this process."""

from pathlib import Path

import numpy as np

from firmware.image import read_image
from firmware.machine import Machine
from firmware.manifest import Manifest
from firmware.records import RESULT_ID, Record, Result, check_windows, collect
from firmware.targets import Target, find_target


class EmulatedRunner:
    """An image of build_image on a core that Unicorn emulates.

    traced   whether the image was built so; its tensors are then read back at every call of bnn_trace
    """

    def __init__(self, image: Path, manifest: Manifest, target: str | Target, *, traced: bool):
        self.manifest, self.traced = manifest, traced
        self.machine = Machine(read_image(image), find_target(target))
        self._records: list[Record] = []
        self._alignment_tried = self.machine.target.unaligned
        if traced:
            self.machine.on_entry("bnn_trace", self._take_trace)
        self.machine.start()
        self.machine.call("bench_prepare")

    def run(self, windows: np.ndarray, speed: int = 0) -> Result:
        """Classify `windows` (n, samples) int16; see runners.Runner.

        Raises DataError for other windows, ToolError if the core faults.
        """
        windows = check_windows(windows, self.manifest)
        if self.manifest.stages:
            self.machine.write("bench_speed", speed.to_bytes(4, "little"))
        if len(windows) and not self._alignment_tried:
            self._try_alignment(windows[0])
        self._records = []
        result = self.machine.image.symbol("bench_result")
        for window in windows:
            self.machine.write("bench_samples", window.tobytes())
            self.machine.call("bench_window")
            self._records.append((RESULT_ID, self.machine.read(result.address, result.size)))
        return collect(self._records, len(windows), self.manifest, self.traced)

    def _try_alignment(self, window: np.ndarray) -> None:
        """One window on a core of its own that watches every address: those hardly depend on the samples."""
        watched = Machine(self.machine.image, self.machine.target)
        watched.watch_alignment()
        watched.start()
        watched.write("bench_samples", window.tobytes())
        watched.call("bench_window")
        self._alignment_tried = True

    def trace_order(self) -> list[str]:
        """Names of the tensors that the last run traced, in the order in which they came."""
        names = {trace.id: trace.name for trace in self.manifest.traces}
        return [names[number] for number, _ in self._records if number != RESULT_ID]

    def _take_trace(self) -> None:
        """At the entry of bnn_trace(id, data, bytes)."""
        number, address, size = (self.machine.argument(i) for i in range(3))
        self._records.append((number, self.machine.read(address, size)))
