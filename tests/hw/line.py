"""A serial port whose other end is simulated Verilog, pin by pin."""

from hw.cxxrtl import Design


class SimulatedPort:
    """What hw.host asks of a port. Time passes only while something is written or waited for."""

    def __init__(self, design: Design, divider: int, patience: int):
        """divider: clocks a bit; patience: clocks that read() waits for the next byte."""
        self.design, self.divider, self.patience = design, divider, patience
        self.received = bytearray()
        self.bits: list[int] | None = None
        self.phase = 0
        design["i_rx"].value = 1
        design.clock(40)  # the reset of its own

    def write(self, data: bytes) -> None:
        for byte in data:
            self.send_bits([0, *(byte >> i & 1 for i in range(8)), 1])

    def send_bits(self, bits: list[int]) -> None:
        for bit in bits:
            self.design["i_rx"].value = bit
            self.run(self.divider)

    def run(self, clocks: int) -> None:
        """Let time pass, listening."""
        for _ in range(clocks):
            self.design.clock()
            self._listen(self.design["o_tx"].value)

    def _listen(self, level: int) -> None:
        if self.bits is None:
            if level == 0:
                self.bits, self.phase = [], self.divider // 2
            return
        self.phase -= 1
        if self.phase == 0:
            self.bits.append(level)
            self.phase = self.divider
            if len(self.bits) == 10:
                start, *data, stop = self.bits
                assert (start, stop) == (0, 1), f"not a byte: {self.bits}"
                self.received.append(sum(bit << i for i, bit in enumerate(data)))
                self.bits = None

    def read(self, size: int) -> bytes:
        waited = 0
        while len(self.received) < size and waited < self.patience:
            before = len(self.received)
            self.run(self.divider)
            waited = 0 if len(self.received) > before or self.bits is not None else waited + self.divider
        data, self.received = bytes(self.received[:size]), self.received[size:]
        return data

    def reset_input_buffer(self) -> None:
        self.received.clear()
