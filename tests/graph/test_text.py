"""The text form of a small graph, word for word."""

from dataclasses import replace

from bnn.graph import Stage, to_text
from tests.graphs import small_graph

GOLDEN = """\
graph small: 3 classes (c0 c1 c2)
signal ecg: int16 (1, 60), 360 Hz, 200 steps per mV
stage main: reads ecg
  stats = WindowStats(ecg, frac=4) -> int32 (2,) [-524288, 524288]
  block1.acc = SignalConv(ecg, stats, w 5x5, stride=2, pad=4, frac=4) -> int32 (5, 32) [-5242880, 5242880]
  block1.max = MaxPool(block1.acc, kernel=3, stride=2) -> int32 (5, 15) [-5242880, 5242880]
  block1 = Interval(block1.max, stats, lower 5, upper 5, flip 5, frac=8) -> bit (5, 15) [0, 1]
  block2.acc = BinaryConv(block1, w 4x5x3, pad_value 5, stride=1, pad=2) -> int16 (4, 17) [-15, 15]
  block2 = Interval(block2.acc, lower 4, upper 4, flip 4, frac=0) -> bit (4, 17) [0, 1]
  block3.acc = BinaryConv(block2, w 3x4x3, pad_value 4, stride=1, pad=1) -> int16 (3, 17) [-12, 12]
  block3 = MaxPool(block3.acc, kernel=3, stride=2) -> int16 (3, 8) [-12, 12]
  logits = PReluSum(block3, rise 3, fall 3, bias 3, frac=8) -> int32 (3,) [-27320, 19544]
  exit logits
"""


def test_text_of_a_small_graph():
    assert to_text(small_graph("logical")) == GOLDEN


def test_a_stage_without_exit_says_so():
    graph = small_graph()
    first = Stage("first", ("ecg",), graph.stages[0].nodes[:3], None)
    second = Stage("second", (), graph.stages[0].nodes[3:], "logits")
    text = to_text(replace(graph, stages=(first, second)))
    assert "stage first: reads ecg\n" in text and "  no exit\nstage second: reads" in text
