"""The host's end of the serial line to a network on a board (hw/rtl/uart_front.v).

from serial import Serial                          # pip install pyserial
from hw.host import Client

client = Client(Serial("/dev/ttyUSB0", 115200, timeout=2), samples=3600, classes=5)
winner, logits = client.classify(window)           # window: 3600 raw ADC samples, int16
"""

import struct
import time
from binascii import crc_hqx
from typing import Protocol

import numpy as np

from bnn.errors import BnnError, DataError

REQUEST, ANSWER = b"\xa5", b"\x5a"
REASONS = {
    1: "the checksum of the window was wrong",
    2: "the window stopped before its end",
    3: "samples came faster than the network took them",
    4: "a byte had no stop bit; do both ends use the same baud rate?",
}
PAUSE = 0.15
"""Seconds of silence after which the board has surely given up what it was reading (hw.boards.top.SILENCE)."""


class LineError(BnnError):
    """The board did not answer as it should."""


class Port(Protocol):
    """What is asked of the line; serial.Serial has it."""

    def write(self, data: bytes) -> object: ...

    def read(self, size: int) -> bytes:
        """At most `size` bytes; fewer after a timeout."""

    def reset_input_buffer(self) -> None: ...


class Client:
    """A network behind a serial line."""

    def __init__(self, port: Port, samples: int, classes: int, *, tries: int = 3, sleep=time.sleep):
        self.port, self.samples, self.classes = port, samples, classes
        self.tries, self.sleep = tries, sleep

    def classify(self, window: np.ndarray) -> tuple[int, np.ndarray]:
        """The class and the logits, int32 (classes,), of one window (samples,) of int16 ADC steps.

        A window that the board refuses is sent again. Raises DataError for a window of another kind or length, and
        LineError if the last of `tries` fails as well.
        """
        data = request(window, self.samples)
        for left in reversed(range(self.tries)):
            try:
                self.port.write(data)
                return self._answer()
            except LineError:
                if not left:
                    raise
                self.sleep(PAUSE)
                self.port.reset_input_buffer()
        raise DataError(f"tries is {self.tries}, wanted at least 1")

    def _answer(self) -> tuple[int, np.ndarray]:
        head = self._read(2)
        if head[:1] != ANSWER:
            raise LineError(f"the answer begins with {head[0]:#04x}, wanted {ANSWER[0]:#04x}; is the baud rate right?")
        body = head[1:] + self._read(2 if head[1] else 1 + 4 * self.classes + 2)
        if crc(body):
            raise LineError("the checksum of the answer is wrong; is the cable long or the baud rate high?")
        if body[0]:
            raise LineError(f"the board refused the window: {REASONS.get(body[0], f'reason {body[0]}')}")
        return body[1], np.frombuffer(body, "<i4", self.classes, offset=2).astype(np.int32)

    def _read(self, size: int) -> bytes:
        data = self.port.read(size)
        if len(data) < size:
            raise LineError(
                f"the board sent {len(data)} bytes and then nothing, wanted {size}; "
                "is it configured, and is the port the right one?"
            )
        return data


def request(window: np.ndarray, samples: int) -> bytes:
    """The frame of one window: sync byte, samples in two bytes each, low one first, CRC high byte first."""
    window = np.asarray(window)
    if window.dtype != np.int16 or window.shape != (samples,):
        raise DataError(f"the window is {window.dtype} {window.shape}, wanted int16 ({samples},): raw ADC samples")
    data = window.astype("<i2").tobytes()
    return REQUEST + data + struct.pack(">H", crc(data))


def crc(data: bytes) -> int:
    """CRC-16 with polynomial 0x1021 from 0xffff; 0 over data that ends with its own."""
    return crc_hqx(data, 0xFFFF)
