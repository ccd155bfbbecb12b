"""What the laboratory knows of each core: compiler flags, memory map, emulator.

Nothing here is a product: the memory map is that of the QEMU machine of the same core, so that one image runs in
Unicorn and in QEMU alike, and is larger than most parts, so that a model can be measured before it is made to fit.
"""

from dataclasses import dataclass

from bnn.errors import ToolError


@dataclass(frozen=True, slots=True)
class Region:
    """`size` bytes of memory from address `origin`."""

    origin: int
    size: int


@dataclass(frozen=True, slots=True)
class QemuMachine:
    """The machine on which QEMU runs an image: its program, its name, and the bytes of its memories."""

    program: str
    machine: str
    flash_bytes: int
    ram_bytes: int
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of processor that a firmware can be built for.

    zig       flags of `zig cc` that choose the core
    gcc       the GCC that makes code for it, and its flags
    startup   start-up source in firmware/ports; "" on the host, which has its own
    unaligned whether a word may lie at any address
    unicorn   Unicorn's name of the CPU model; None: not emulated
    qemu      None: QEMU has no machine that we use
    """

    name: str
    summary: str
    zig: tuple[str, ...] = ()
    gcc: str = "gcc"
    gcc_flags: tuple[str, ...] = ()
    startup: str = ""
    flash: Region = Region(0, 0)
    ram: Region = Region(0, 0)
    unaligned: bool = True
    unicorn: str | None = None
    qemu: QemuMachine | None = None

    @property
    def is_host(self) -> bool:
        return not self.startup

    @property
    def is_arm(self) -> bool:
        return self.startup == CORTEX_M_STARTUP


MIB = 1 << 20
CORTEX_M_STARTUP = "startup_cortex_m.c"
RV32_STARTUP = "startup_rv32.c"


def _cortex_m(core: str, machine: QemuMachine, flash: int = 0x0000_0000, ram: int = 0x2000_0000) -> Target:
    """A Cortex-M target; `core` is "m0", "m4" and so on. The default map is that of all without TrustZone."""
    return Target(
        name=f"cortex-{core}",
        summary=f"Arm Cortex-{core.upper()}, no floating point used",
        zig=("-target", "thumb-freestanding-eabi", f"-mcpu=cortex_{core}"),
        gcc="arm-none-eabi-gcc",
        gcc_flags=(f"-mcpu=cortex-{core}", "-mthumb", "-mfloat-abi=soft"),
        startup=CORTEX_M_STARTUP,
        flash=Region(flash, MIB),
        ram=Region(ram, MIB),
        unaligned=core != "m0",
        unicorn=f"UC_CPU_ARM_CORTEX_{core.upper()}",
        qemu=machine,
    )


def _mps2(machine: str) -> QemuMachine:
    return QemuMachine("qemu-system-arm", machine, flash_bytes=4 * MIB, ram_bytes=2 * MIB)


HOST = Target("host", "this computer")

_CORTEX_M55 = Target(
    name="cortex-m55",
    summary="Arm Cortex-M55, with vectors (MVE); in QEMU alone, since Unicorn has no such core",
    zig=("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m55+mve"),
    gcc="arm-none-eabi-gcc",
    gcc_flags=("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
    startup=CORTEX_M_STARTUP,
    flash=Region(0x0000_0000, MIB // 2),
    ram=Region(0x2100_0000, MIB),
    qemu=QemuMachine("qemu-system-arm", "mps3-an547", flash_bytes=MIB // 2, ram_bytes=2 * MIB),
)

_RV32IMC = Target(
    name="rv32imc",
    summary="RISC-V, 32 bits, with multiplication and compressed instructions",
    zig=("-target", "riscv32-freestanding", "-mcpu=generic_rv32+m+c+zicsr"),
    gcc="riscv64-unknown-elf-gcc",
    gcc_flags=("-march=rv32imc_zicsr", "-mabi=ilp32", "-mcmodel=medany"),
    startup=RV32_STARTUP,
    flash=Region(0x8000_0000, MIB),
    ram=Region(0x8010_0000, MIB),
    unaligned=False,  # as each core decides; many trap
    unicorn="UC_CPU_RISCV32_ANY",
    qemu=QemuMachine("qemu-system-riscv32", "virt", flash_bytes=MIB, ram_bytes=MIB, options=("-bios", "none")),
)

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        HOST,
        _cortex_m("m0", QemuMachine("qemu-system-arm", "microbit", flash_bytes=MIB // 4, ram_bytes=16 << 10)),
        _cortex_m("m3", _mps2("mps2-an385")),
        _cortex_m("m4", _mps2("mps2-an386")),
        _cortex_m("m7", _mps2("mps2-an500")),
        _cortex_m("m33", _mps2("mps2-an505"), flash=0x1000_0000, ram=0x3800_0000),
        _CORTEX_M55,
        _RV32IMC,
    )
}


def find_target(name: str | Target) -> Target:
    """The target of that name. Raises ToolError, which lists the names there are, for another."""
    if isinstance(name, Target):
        return name
    if name not in TARGETS:
        raise ToolError(f"target {name!r} is unknown; choose one of {', '.join(TARGETS)}")
    return TARGETS[name]
