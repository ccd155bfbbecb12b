"""The serial line, simulated at its pins: the host's own client on one end, the Verilog of a board on the other."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import DataError
from hw.boards import find_board
from hw.boards.top import Line, board_verilog
from hw.cxxrtl import Design, compile_design
from hw.host import Client, LineError, crc, request
from hw.synth.flow import FRONT, RTL
from tests.hw.line import SimulatedPort

SAMPLES, CLASSES, DIVIDER = 16, 3, 8
KHZ = 20
"""So slow a clock makes the 0.1 s that end a frame only 2000 clocks."""


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("uart")
    line = Line(find_board("icebreaker"), "standin", SAMPLES, CLASSES, KHZ / 1000, None, KHZ * 1000 // DIVIDER)
    assert line.divider == DIVIDER and line.timeout == 2000
    (folder / "board.v").write_text(board_verilog(line))
    for source in (*(RTL / name for name in FRONT), Path(__file__).with_name("standin.v")):
        shutil.copy(source, folder)
    return compile_design(folder, [*FRONT, "standin.v", "board.v"], "board")


@pytest.fixture
def port(library):
    design = Design(library)
    yield SimulatedPort(design, DIVIDER, patience=4000)
    design.close()


@pytest.fixture
def client(port) -> Client:
    return Client(port, SAMPLES, CLASSES, tries=1, sleep=lambda seconds: port.run(round(seconds * KHZ * 1000)))


def window(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-32768, 32768, SAMPLES).astype(np.int16)


def expected(x: np.ndarray) -> tuple[int, list[int]]:
    total = int(x.astype(np.int64).sum())
    return total & 255, [total, int(np.bitwise_xor.reduce(x)), 0x01020304]


def check(client: Client, seed: int) -> None:
    winner, logits = client.classify(window(seed))
    assert (winner, list(logits)) == expected(window(seed))


def test_windows_are_answered_one_after_the_other(client):
    for seed in range(6):
        check(client, seed)


def test_samples_of_every_byte_pass(client):
    """Sync bytes of both directions, all ones, all zeros and the extremes are data like any other."""
    x = np.array([0, -1, 0x5A5A, -23131, 32767, -32768, 0x00FF, -256] * 2, np.int16)
    assert 0xA5 in x.view(np.uint8) and 0x5A in x.view(np.uint8)
    winner, logits = client.classify(x)
    assert (winner, list(logits)) == expected(x)


@pytest.mark.parametrize("position", [1, 8, 32, 33, 34])
def test_a_flipped_bit_is_refused_and_the_next_window_is_right(client, port, position):
    data = bytearray(request(window(1), SAMPLES))
    data[position] ^= 0x10
    port.write(data)
    with pytest.raises(LineError, match="the board refused the window: the checksum of the window was wrong"):
        client._answer()
    check(client, 2)


@pytest.mark.parametrize("length", [1, 2, 7, 33, 34])
def test_a_frame_that_stops_is_refused_after_a_pause(client, port, length):
    port.write(request(window(3), SAMPLES)[:length])
    with pytest.raises(LineError, match="the window stopped before its end"):
        client._answer()
    check(client, 4)


def test_garbage_before_a_frame_is_skipped(client, port):
    port.write(bytes(set(range(256)) - {0xA5}))
    check(client, 5)


def test_a_false_start_costs_one_answer(client, port):
    """A sync byte in noise begins a frame that cannot be right; the client sends again and is answered."""
    client.tries = 3
    port.write(b"\xa5\x01")
    check(client, 6)


def test_a_byte_without_stop_bit_is_refused(client, port):
    port.write(request(window(7), SAMPLES)[:9])
    port.send_bits([0] * 30 + [1] * 4)
    with pytest.raises(LineError, match="a byte had no stop bit; do both ends use the same baud rate"):
        client._answer()
    check(client, 8)


def test_a_network_that_falls_behind_is_told(client, port):
    x = window(15)
    x[3] = 0x5354  # the stand-in then pauses for longer than three samples take
    with pytest.raises(LineError, match="samples came faster than the network took them"):
        client.classify(x)
    port.run(3000)
    port.reset_input_buffer()
    check(client, 16)


def test_a_short_glitch_is_no_byte(client, port):
    port.design["i_rx"].value = 0
    port.run(DIVIDER // 4)
    port.design["i_rx"].value = 1
    port.run(DIVIDER)
    check(client, 9)


def test_bytes_during_an_answer_are_skipped(client, port):
    frame = request(window(10), SAMPLES)
    port.write(frame + b"\xa5\x00")
    winner, logits = client._answer()
    assert (winner, list(logits)) == expected(window(10))
    check(client, 11)


@pytest.mark.parametrize("error", [-1, 1])
def test_clocks_may_differ(client, port, error):
    """By two parts in a hundred, which is what hw.boards.top.plan leaves to either end."""
    frame = request(window(12), SAMPLES)
    late = 0.0
    for byte in frame:
        for bit in (0, *(byte >> i & 1 for i in range(8)), 1):
            late += DIVIDER * (1 + 0.02 * error)
            port.design["i_rx"].value = bit
            port.run(int(late))
            late -= int(late)
    winner, logits = client._answer()
    assert (winner, list(logits)) == expected(window(12))


def test_an_answer_with_a_flipped_bit_is_noticed(client, port):
    port.write(request(window(13), SAMPLES))
    port.run(DIVIDER * 10 * 20)
    port.received[5] ^= 1
    with pytest.raises(LineError, match="the checksum of the answer is wrong"):
        client._answer()


def test_a_silent_board_is_an_error(client, port):
    port.write = lambda data: None
    with pytest.raises(LineError, match="sent 0 bytes and then nothing, wanted 2; is it configured"):
        client.classify(window(14))


@pytest.mark.parametrize("bad", [np.zeros(SAMPLES), np.zeros(SAMPLES + 1, np.int16), np.zeros((1, SAMPLES), np.int16)])
def test_a_window_of_another_kind_is_refused(bad):
    with pytest.raises(DataError, match=r"wanted int16 \(16,\): raw ADC samples"):
        request(bad, SAMPLES)


@given(st.binary(max_size=40))
def test_a_frame_ends_with_its_crc(data):
    assert crc(data + crc(data).to_bytes(2, "big")) == 0
    assert crc(b"123456789") == 0x29B1
