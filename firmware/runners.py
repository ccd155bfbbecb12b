"""From a generated folder to something that runs windows, whatever the target."""

from pathlib import Path
from typing import Protocol

import numpy as np

from bnn.errors import ToolError
from firmware.build import build_image, build_library
from firmware.compilers import Compiler
from firmware.emulate import EmulatedRunner
from firmware.host import HostRunner
from firmware.manifest import Manifest, read_manifest
from firmware.program import ProgramRunner
from firmware.qemu import QemuRunner
from firmware.records import Result
from firmware.targets import HOST, Target, find_target

EMULATORS = {"unicorn": EmulatedRunner, "qemu": QemuRunner}
# The bench allocates nothing, and looking for leaks fails where a process may not be traced.
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


class Runner(Protocol):
    """A model that was built and can be run."""

    manifest: Manifest
    traced: bool

    def run(self, windows: np.ndarray, speed: int = 0) -> Result:
        """Classify `windows` (n, samples) int16, signals one after the other, channels side by side: a Result.

        speed  of a model of several stages: at which a window leaves before the last; 0 runs them all, and a traced
               model takes no other
        """


def open_runner(
    generated: Path,
    target: str | Target,
    out: Path,
    *,
    traced: bool,
    opt: str = "-O2",
    compiler: Compiler | None = None,
    emulator: str = "unicorn",
) -> Runner:
    """Build the model in `generated` into the folder `out` and make it ready to run: on this computer for the target
    "host", else on an emulated core.

    emulator   "unicorn", which comes with the laboratory, or "qemu" where it is installed; the host needs none,
               and a core that Unicorn does not know is run in QEMU

    Raises what build_image, build_library and the runners raise.
    """
    target = find_target(target)
    if emulator not in EMULATORS:
        raise ToolError(f"emulator {emulator!r} is unknown; choose one of {', '.join(EMULATORS)}")
    manifest = read_manifest(generated)
    if target.is_host:
        library = build_library(generated, out, traced=traced, opt=opt, compiler=compiler)
        return HostRunner(library, manifest, traced=traced)
    image = build_image(generated, target, out, traced=traced, opt=opt, compiler=compiler)
    runner = EMULATORS[emulator] if target.unicorn else QemuRunner
    return runner(image, manifest, target, traced=traced)


def open_sanitized(
    generated: Path, out: Path, *, traced: bool, opt: str = "-O1", compiler: Compiler | None = None
) -> Runner:
    """The same for a program on this computer under AddressSanitizer and UBSan, whose report becomes a ToolError."""
    program = build_image(generated, HOST, out, traced=traced, opt=opt, compiler=compiler, sanitize=True)
    manifest = read_manifest(generated)
    return ProgramRunner([str(program.resolve())], manifest, traced=traced, environment=SANITIZER_OPTIONS)
