"""Running windows on an emulated core: QEMU, where it is installed. It measures nothing; it is a second opinion."""

import shutil
from pathlib import Path

from bnn.errors import ToolError
from firmware.image import Image, read_image
from firmware.manifest import Manifest
from firmware.program import ProgramRunner
from firmware.targets import QemuMachine, Target, find_target


class QemuRunner(ProgramRunner):
    """An image of build_image in QEMU, which must be installed; semihosting carries the two files."""

    def __init__(self, image: Path, manifest: Manifest, target: str | Target, *, traced: bool):
        target = find_target(target)
        machine = _machine(target)
        loaded = read_image(image)
        _refuse_too_large(loaded, machine, target)
        command = [
            find_qemu(target),
            *("-M", machine.machine, *machine.options),
            *("-display", "none", "-monitor", "none", "-serial", "none"),
            *("-semihosting-config", "enable=on,target=native"),
            *("-kernel", str(Path(image).resolve())),
        ]
        super().__init__(command, manifest, traced=traced)
        self.image = loaded


def find_qemu(target: Target) -> str:
    """The path of QEMU for `target`. Raises ToolError if there is none."""
    machine = _machine(target)
    found = shutil.which(machine.program)
    if not found:
        raise ToolError(f"{machine.program} was not found; install QEMU, or use Unicorn, which needs no installation")
    return found


def has_qemu(target: Target) -> bool:
    """Whether QEMU is installed that runs images for `target`."""
    return target.qemu is not None and shutil.which(target.qemu.program) is not None


def _machine(target: Target) -> QemuMachine:
    if target.qemu is None:
        raise ToolError(f"target {target.name} has no QEMU machine; run it there where it is: on this computer")
    return target.qemu


def _refuse_too_large(image: Image, machine: QemuMachine, target: Target) -> None:
    sizes = image.sizes()
    for what, used, room in (
        ("flash", sizes.image_flash, machine.flash_bytes),
        ("RAM", sizes.image_ram, machine.ram_bytes),
    ):
        if used > room:
            raise ToolError(
                f"{image.path.name}: takes {used} bytes of {what}, but QEMU's {machine.machine} for {target.name} has "
                f"{room}; use Unicorn, whose memory is larger"
            )
