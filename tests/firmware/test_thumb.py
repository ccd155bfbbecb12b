import struct

import pytest

from firmware.thumb import CLASSES, Instruction, decode, walk

NARROW = [
    (0x1840, "adds r0, r0, r1", "alu", 0),
    (0x2064, "movs r0, #100", "alu", 0),
    (0x4048, "eors r0, r1", "alu", 0),
    (0x4348, "muls r0, r1, r0", "multiply", 0),
    (0x4687, "mov pc, r0", "jump", 0),
    (0x4680, "mov r8, r0", "alu", 0),
    (0x4770, "bx lr", "jump", 0),
    (0x4788, "blx r1", "call", 0),
    (0x4801, "ldr r0, [pc, #4]", "load", 0),
    (0x5488, "strb r0, [r1, r2]", "store", 0),
    (0x5688, "ldrsb r0, [r1, r2]", "load", 0),
    (0x6008, "str r0, [r1]", "store", 0),
    (0x7808, "ldrb r0, [r1]", "load", 0),
    (0x8008, "strh r0, [r1]", "store", 0),
    (0x9801, "ldr r0, [sp, #4]", "load", 0),
    (0xA801, "add r0, sp, #4", "alu", 0),
    (0xB082, "sub sp, #8", "alu", 0),
    (0xB108, "cbz r0, .+6", "branch", 0),
    (0xB280, "uxth r0, r0", "alu", 0),
    (0xB5F0, "push {r4-r7, lr}", "multiple", 5),
    (0xBCF0, "pop {r4-r7}", "multiple", 4),
    (0xBDF0, "pop {r4-r7, pc}", "return", 5),
    (0xBF08, "it eq", "other", 0),
    (0xBF00, "nop", "other", 0),
    (0xC103, "stm r1!, {r0, r1}", "multiple", 2),
    (0xD0FE, "beq .", "branch", 0),
    (0xDF00, "svc 0", "other", 0),
    (0xE7FE, "b .", "jump", 0),
]
WIDE = [
    (0xEB01, 0x0002, "add.w r0, r1, r2", "alu", 0),
    (0xF240, 0x0000, "movw r0, #0", "alu", 0),
    (0xF3C0, 0x1007, "ubfx r0, r0, #4, #8", "alu", 0),
    (0xFAB0, 0xF080, "clz r0, r0", "alu", 0),
    (0xFB01, 0xF002, "mul r0, r1, r2", "multiply", 0),
    (0xFB01, 0x3002, "mla r0, r1, r2, r3", "multiply", 0),
    (0xFBA1, 0x0203, "umull r0, r2, r1, r3", "multiply", 0),
    (0xFBB1, 0xF0F2, "udiv r0, r1, r2", "divide", 0),
    (0xFB91, 0xF0F2, "sdiv r0, r1, r2", "divide", 0),
    (0xF8D1, 0x0000, "ldr.w r0, [r1]", "load", 0),
    (0xF9B1, 0x0000, "ldrsh.w r0, [r1]", "load", 0),
    (0xF8C1, 0x0000, "str.w r0, [r1]", "store", 0),
    (0xF891, 0xF000, "pld [r1]", "other", 0),
    (0xF85D, 0xFB04, "ldr pc, [sp], #4", "return", 1),
    (0xE9D1, 0x0200, "ldrd r0, r2, [r1]", "multiple", 2),
    (0xE8B1, 0x00F0, "ldm.w r1!, {r4-r7}", "multiple", 4),
    (0xE8BD, 0x8110, "pop.w {r4, r8, pc}", "return", 3),
    (0xE8DF, 0xF000, "tbb [pc, r0]", "jump", 0),
    (0xE851, 0x0F00, "ldrex r0, [r1]", "load", 0),
    (0xF000, 0xF800, "bl .+4", "call", 0),
    (0xF000, 0xB800, "b.w .+4", "jump", 0),
    (0xF000, 0x8000, "beq.w .+4", "branch", 0),
    (0xF3BF, 0x8F4F, "dsb", "other", 0),
    (0xEE30, 0x0A00, "vadd.f32 s0, s0, s0", "other", 0),
]


@pytest.mark.parametrize("code, text, kind, registers", NARROW, ids=[row[1] for row in NARROW])
def test_instructions_of_two_bytes(code, text, kind, registers):
    assert decode(struct.pack("<H", code)) == Instruction(2, kind, registers)


@pytest.mark.parametrize("first, second, text, kind, registers", WIDE, ids=[row[2] for row in WIDE])
def test_instructions_of_four_bytes(first, second, text, kind, registers):
    assert decode(struct.pack("<HH", first, second)) == Instruction(4, kind, registers)


def test_every_class_occurs():
    assert {row[-2] for row in (*NARROW, *WIDE)} == set(CLASSES)


def test_walking_steps_over_both_widths():
    code = struct.pack("<HHHHH", 0x1840, 0xF000, 0xF800, 0x4770, 0)
    assert [(at, i.kind) for at, i in walk(code)] == [(0, "alu"), (2, "call"), (6, "jump")]
