"""One emulated core with one image in its memory: Unicorn, with errors that name the function they happened in."""

import threading
from collections.abc import Callable

from bnn.errors import ToolError
from firmware.hooks import AlignmentWatch
from firmware.image import Image
from firmware.targets import Target

PAINT = 0xA5  # what free stack is filled with; a called function that leaves it untouched did not reach so far
SECONDS = 120  # one call may take; the ECG network takes 0.1


class Machine:
    """`image` loaded, started, and stopped before main; then `call` runs one function at a time.

    Hook a function before it first runs: Unicorn looks for hooks when it translates code, which it does once.
    Raises ToolError if Unicorn is missing or does not know the target.
    """

    def __init__(self, image: Image, target: Target):
        try:
            import unicorn
        except ImportError as error:
            raise ToolError("unicorn is not installed; pip install 'bnn-wearables[mcu]'") from error
        if target.unicorn is None:
            raise ToolError(f"target {target.name} is not emulated; run it on the host")
        self.image, self.target = image, target
        self.uc = _open(unicorn, target)
        self._registers = _registers(unicorn, target)
        self._bad_access = ""
        self._alignment: AlignmentWatch | None = None
        self.uc.mem_map(target.flash.origin, target.flash.size, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.uc.mem_map(target.ram.origin, target.ram.size, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        for address, data in image.segments:
            self.uc.mem_write(address, data)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._note_bad_access)

    def start(self) -> None:
        """Run the start-up code up to main, as after a reset."""
        begin = self.image.address("port_reset")
        self.uc.reg_write(self._registers["sp"], self.image.address("port_stack_top"))
        self._run(begin)

    def call(self, function: str) -> None:
        """Run `function`, which takes and returns nothing, until it returns.

        Raises ToolError, with the place, if it faults or does not come back within SECONDS.
        """
        self.uc.reg_write(self._registers["sp"], self.image.address("port_stack_top"))
        self.uc.reg_write(self._registers["link"], self._code(self.image.address("main")))
        self._run(self.image.address(function))

    def on_entry(self, function: str, action: Callable[[], None]) -> None:
        """Call `action` whenever `function` is entered."""
        import unicorn

        address = self.image.address(function)
        self.uc.hook_add(unicorn.UC_HOOK_CODE, lambda *_: action(), begin=address, end=address)

    def watch_alignment(self) -> None:
        """Take a load or store that is not aligned for a fault, as some cores do. Slow."""
        self._alignment = AlignmentWatch(self.uc)

    def argument(self, i: int) -> int:
        """Word `i` < 4 of the arguments, at a function's entry."""
        return self.uc.reg_read(self._registers["arguments"][i])

    @property
    def stack_pointer(self) -> int:
        return self.uc.reg_read(self._registers["sp"])

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.uc.mem_read(address, size))

    def write(self, symbol: str, data: bytes) -> None:
        self.uc.mem_write(self.image.address(symbol), data)

    def paint_stack(self) -> None:
        bottom, top = self._stack()
        self.uc.mem_write(bottom, bytes([PAINT]) * (top - bottom))

    def deepest_stack(self) -> int:
        """The lowest address of the stack that was written since `paint_stack`."""
        bottom, top = self._stack()
        left = self.read(bottom, top - bottom)
        return bottom + len(left) - len(left.lstrip(bytes([PAINT])))

    def _stack(self) -> tuple[int, int]:
        return self.image.address("port_stack_bottom"), self.image.address("port_stack_top")

    def _code(self, address: int) -> int:
        return address | 1 if self.target.is_arm else address

    def _run(self, begin: int) -> None:
        """Emulate from `begin` until main is reached, which is also where every call returns to."""
        import unicorn

        timer = threading.Timer(SECONDS, self.uc.emu_stop)
        timer.daemon = True
        timer.start()
        try:
            self.uc.emu_start(self._code(begin), self.image.address("main"))
        except unicorn.UcError as error:
            # Unicorn steps a RISC-V core over the instruction that it then reports as an exception.
            skipped = 4 if error.errno == unicorn.UC_ERR_EXCEPTION and not self.target.is_arm else 0
            raise ToolError(self._fault(str(error), skipped)) from error
        finally:
            timer.cancel()
        pc = self.uc.reg_read(self._registers["pc"])
        if pc != self.image.address("main"):
            unaligned = self._alignment.finding if self._alignment else ""
            raise ToolError(self._fault(unaligned or f"no return within {SECONDS} s"))

    def _note_bad_access(self, uc, access, address, size, value, data) -> bool:
        self._bad_access = f" at address {address:#x}"
        return False

    def _fault(self, what: str, skipped: int = 0) -> str:
        pc = (self.uc.reg_read(self._registers["pc"]) & ~1) - skipped
        bottom, top = self._stack()
        overflow = f"; the stack of {top - bottom} bytes has overflowed" if self.stack_pointer < bottom else ""
        where = self.image.place(pc)
        self._bad_access, access = "", self._bad_access
        return (
            f"{self.image.path.name}: stopped at {where}: {what}{access}{overflow}; "
            "the sanitized host build (build_image with sanitize=True) may show the line"
        )


def _open(unicorn, target: Target):
    """A Unicorn engine for the core of `target`."""
    if target.is_arm:
        uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(getattr(unicorn.arm_const, target.unicorn))
    else:
        uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        uc.ctl_set_cpu_model(getattr(unicorn.riscv_const, target.unicorn))
    return uc


def _registers(unicorn, target: Target) -> dict:
    """Unicorn's names for the registers of the calling convention (AAPCS; RISC-V psABI)."""
    if target.is_arm:
        c = unicorn.arm_const
        arguments = (c.UC_ARM_REG_R0, c.UC_ARM_REG_R1, c.UC_ARM_REG_R2, c.UC_ARM_REG_R3)
        return {"pc": c.UC_ARM_REG_PC, "sp": c.UC_ARM_REG_SP, "link": c.UC_ARM_REG_LR, "arguments": arguments}
    c = unicorn.riscv_const
    arguments = (c.UC_RISCV_REG_A0, c.UC_RISCV_REG_A1, c.UC_RISCV_REG_A2, c.UC_RISCV_REG_A3)
    return {"pc": c.UC_RISCV_REG_PC, "sp": c.UC_RISCV_REG_SP, "link": c.UC_RISCV_REG_RA, "arguments": arguments}
