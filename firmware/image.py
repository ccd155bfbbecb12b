"""An ELF image: what it loads where, its symbols, and how many bytes of it belong to the model."""

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from bnn.errors import FileError, ToolError

WRITABLE, ALLOCATED = 0x1, 0x2  # section flags of the ELF specification


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of an image.

    code       generated code, the runtime and the compiler's helper routines that they call, as linked
    constants  their constants: weights, thresholds, tables, and the initial values of their variables
    variables  what they write outside the caller's context; 0 for generated code as it is meant
    context    the context that the caller owns
    samples    the caller's buffer for one window
    image_flash, image_ram   the whole image with start-up code, bench, samples and a stack of 4096
    """

    code: int
    constants: int
    variables: int
    context: int
    samples: int
    image_flash: int
    image_ram: int

    @property
    def flash(self) -> int:
        return self.code + self.constants

    @property
    def ram(self) -> int:
        """Without the caller's samples and without the stack."""
        return self.context + self.variables


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function (its `address` without Thumb's bit 0) or an object of an image."""

    name: str
    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Section:
    """`in_file` is False where the section only reserves memory."""

    address: int
    size: int
    flags: int
    in_file: bool


@dataclass(frozen=True)
class Image:
    """A linked image for a microcontroller.

    segments  (address, bytes) as they lie in flash before the start
    functions those of `symbols` that are code, by address
    """

    path: Path
    segments: tuple[tuple[int, bytes], ...]
    symbols: dict[str, Symbol]
    functions: tuple[Symbol, ...]
    sections: dict[str, Section]

    def symbol(self, name: str) -> Symbol:
        """Raises ToolError if the image has no such symbol."""
        if name not in self.symbols:
            raise ToolError(f"{self.path}: has no symbol {name}; was it made by build_image?")
        return self.symbols[name]

    def address(self, name: str) -> int:
        return self.symbol(name).address

    def objects(self, section: str) -> list[Symbol]:
        """What lies in a section and is no function, by address; empty where there is no such section."""
        if section not in self.sections:
            return []
        first, size = self.sections[section].address, self.sections[section].size
        inside = [s for s in self.symbols.values() if first <= s.address < first + size and s not in self.functions]
        return sorted(inside, key=lambda symbol: symbol.address)

    def place(self, address: int) -> str:
        """`address` as a person reads it: 0x1a4 (bnn_conv + 0x12)."""
        i = bisect_right(self.functions, address, key=lambda symbol: symbol.address) - 1
        if i >= 0:
            function = self.functions[i]
            if address < function.address + max(function.size, 1):
                return f"{address:#x} ({function.name} + {address - function.address:#x})"
        return f"{address:#x} (no function)"

    def sizes(self) -> Sizes:
        """See Sizes. Sections are those of ports/image.ld."""
        size = {name: section.size for name, section in self.sections.items()}
        in_memory = [s for s in self.sections.values() if s.flags & ALLOCATED]
        return Sizes(
            code=size.get(".model_text", 0),
            constants=size.get(".model_rodata", 0) + size.get(".data", 0),
            variables=size.get(".data", 0) + size.get(".bss", 0),
            context=self.symbol("bench_model_context").size,
            samples=self.symbol("bench_samples").size,
            image_flash=sum(s.size for s in in_memory if s.in_file),
            image_ram=sum(s.size for s in in_memory if s.flags & WRITABLE or not s.in_file),
        )


def read_image(path: Path) -> Image:
    """Raises FileError if `path` is no ELF file, ToolError if pyelftools is missing."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError as error:
        raise ToolError("pyelftools is not installed; pip install 'bnn-wearables[mcu]'") from error
    try:
        with open(path, "rb") as file:
            elf = ELFFile(file)
            functions, objects = _symbols(elf)
            return Image(
                path=Path(path),
                segments=tuple((s["p_paddr"], s.data()) for s in elf.iter_segments("PT_LOAD") if s["p_filesz"]),
                symbols={symbol.name: symbol for symbol in (*objects, *functions)},
                functions=tuple(sorted(functions, key=lambda symbol: symbol.address)),
                sections=_sections(elf),
            )
    except (OSError, ELFError) as error:
        raise FileError(f"{path}: cannot be read as an ELF image ({error}); build it again") from error


def _symbols(elf) -> tuple[list[Symbol], list[Symbol]]:
    """Functions, and all else that has an address."""
    functions, objects = [], []
    table = elf.get_section_by_name(".symtab")
    for entry in table.iter_symbols() if table else ():
        if not entry.name or entry["st_shndx"] == "SHN_UNDEF":
            continue
        is_function = entry["st_info"]["type"] == "STT_FUNC"
        address = entry["st_value"] & ~1 if is_function else entry["st_value"]
        (functions if is_function else objects).append(Symbol(entry.name, address, entry["st_size"]))
    return functions, objects


def _sections(elf) -> dict[str, Section]:
    sections = (s for s in elf.iter_sections() if s.name)
    return {s.name: Section(s["sh_addr"], s["sh_size"], s["sh_flags"], s["sh_type"] != "SHT_NOBITS") for s in sections}
