"""Thumb instructions by what they do, as far as their cost depends on it: a decoder of classes, not of operands.

Arm v7-M Architecture Reference Manual (DDI 0403E), A5 "The Thumb Instruction Set Encoding", figures A5-1 to A5-3 and
tables A5-1 to A5-24; Armv6-M is a subset. Coprocessor and vector instructions are in the class "other".
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CLASSES = ("alu", "multiply", "divide", "load", "store", "multiple", "branch", "jump", "call", "return", "other")
"""alu       arithmetic, logic, shifts, moves
load, store  of one register; multiple: of a list or a pair
branch       conditional; jump: unconditional, or a table's; call: with link
return       by loading pc; through lr it is a jump
other        IT, hints, barriers, special registers, coprocessors
"""

PC = 15


@dataclass(frozen=True, slots=True)
class Instruction:
    """`registers` are those that "multiple" and "return" load or store."""

    bytes: int
    kind: str
    registers: int = 0


def decode(code: bytes, at: int = 0) -> Instruction:
    """The instruction that begins at byte `at` of little-endian code."""
    (first,) = struct.unpack_from("<H", code, at)
    if first >> 11 < 0b11101:
        return _narrow(first)
    (second,) = struct.unpack_from("<H", code, at + 2)
    return _wide(first, second)


def walk(code: bytes) -> Iterator[tuple[int, Instruction]]:
    """(offset, instruction) of all instructions, from offset 0; data between them is taken for instructions."""
    at = 0
    while at + 4 <= len(code):
        instruction = decode(code, at)
        yield at, instruction
        at += instruction.bytes


def _narrow(h: int) -> Instruction:
    top = h >> 12
    if top == 0b0100:
        return _data_or_literal(h)
    if top == 0b0101:
        return Instruction(2, "store" if (h >> 9) & 7 < 3 else "load")
    if top in (0b0110, 0b0111, 0b1000, 0b1001):
        return Instruction(2, "load" if h & 0x0800 else "store")
    if top == 0b1011:
        return _miscellaneous(h)
    if top == 0b1100:
        return Instruction(2, "multiple", (h & 0xFF).bit_count())
    if top == 0b1101:
        return Instruction(2, "branch" if (h >> 8) & 0xF < 14 else "other")
    return Instruction(2, "jump" if top == 0b1110 else "alu")


def _data_or_literal(h: int) -> Instruction:
    """0x4000 to 0x4FFF: on registers, high registers and pc, and loads of literals."""
    if h >> 11 == 0b01001:
        return Instruction(2, "load")
    if h >> 6 == 0b0100001101:
        return Instruction(2, "multiply")
    if h >> 8 == 0b01000111:
        return Instruction(2, "call" if h & 0x80 else "jump")
    writes_pc = h >> 8 in (0b01000100, 0b01000110) and (h >> 4 & 8 | h & 7) == PC
    return Instruction(2, "jump" if writes_pc else "alu")


def _miscellaneous(h: int) -> Instruction:
    if h & 0x0600 == 0x0400:
        registers = (h & 0x1FF).bit_count()
        return Instruction(2, "return" if h & 0x0900 == 0x0900 else "multiple", registers)
    if h & 0x0500 == 0x0100:
        return Instruction(2, "branch")  # CBZ, CBNZ
    return Instruction(2, "other" if h >> 8 in (0b10111111, 0b10111110, 0b10110110) else "alu")


def _wide(first: int, second: int) -> Instruction:
    if first >> 11 == 0b11110 and second & 0x8000:
        return Instruction(4, _control(first, second))
    if first >> 9 == 0b1110100:
        return _several(first, second)
    if first >> 9 == 0b1111100:
        return _single(first, second)
    if first >> 7 == 0b111110110:
        return Instruction(4, "multiply")
    if first >> 7 == 0b111110111:
        return Instruction(4, "divide" if first >> 4 & 0b101 == 0b001 else "multiply")
    return Instruction(4, "other" if first >> 10 & 0b111 == 0b011 and first & 0x0800 else "alu")


def _control(first: int, second: int) -> str:
    """Branches and control."""
    if second & 0x4000:
        return "call"
    if second & 0x1000:
        return "jump"
    return "branch" if first >> 6 & 0xF < 14 else "other"


def _several(first: int, second: int) -> Instruction:
    """Load or store of a list, of a pair, exclusive; table branch."""
    load = first & 0x10
    if not first & 0x40:
        return Instruction(4, "return" if load and second & 0x8000 else "multiple", second.bit_count())
    if first & 0x0120:
        return Instruction(4, "multiple", 2)
    table = first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000
    return Instruction(4, "jump" if table else "load" if load else "store")


def _single(first: int, second: int) -> Instruction:
    if not first & 0x10:
        return Instruction(4, "store")
    if second >> 12 != PC:
        return Instruction(4, "load")
    return Instruction(4, "return", 1) if first >> 5 & 3 == 2 else Instruction(4, "other")  # else a preload
