"""docs/SPEC.md shows files as they are: its examples have the fields of real ones."""

import json
import re
from pathlib import Path

from safetensors import safe_open

from bnn.graph import save
from bnn.graph.check import MAX_CHANNELS, MAX_LENGTH
from bnn.graph.ops import OPS
from codegen import KnownAnswer, generate
from tests.golden import load_golden

TEXT = (Path(__file__).parents[1] / "docs" / "SPEC.md").read_text()


def example(first_key: str) -> dict:
    """The JSON block that begins with this key."""
    blocks = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    return json.loads(next(block for block in blocks if block.startswith(f'{{"{first_key}"')))


def test_the_topology_has_the_fields_of_a_file(tmp_path):
    save(load_golden("extremes").graph, tmp_path / "x.graph")
    with safe_open(tmp_path / "x.graph", framework="numpy") as file:
        real = json.loads(file.metadata()["bnn-graph"])
    shown = example("about")
    assert shown.keys() == real.keys() and shown["version"] == real["version"]
    assert shown["signals"][0].keys() == real["signals"][0].keys()
    assert shown["stages"][0].keys() == real["stages"][0].keys()
    for one, other in zip(shown["stages"][0]["nodes"], real["stages"][0]["nodes"], strict=False):
        assert one["op"] == other["op"] and one.keys() == other.keys()


def test_the_manifest_has_the_fields_of_a_generated_one(tmp_path):
    case = load_golden("extremes")
    answer = KnownAnswer({"ecg": case.tensors["ecg"][0]}, case.tensors["logits"][0], int(case.classes[0]))
    generate(case.graph, tmp_path, known_answer=answer, command="test", graph_sha256="0" * 64, tool_version="0")
    real, shown = json.loads((tmp_path / "extremes.json").read_text()), example("format")
    assert shown.keys() == real.keys() and shown["format"] == real["format"]
    assert shown["signals"][0].keys() == real["signals"][0].keys()
    kinds = {entry["type"]: entry.keys() for entry in real["trace"]}
    assert {entry["type"]: entry.keys() for entry in shown["trace"]}.items() <= kinds.items()


def test_every_op_has_its_place():
    headings = " ".join(line for line in TEXT.splitlines() if line.startswith("### "))
    assert set(OPS) == {name for name in re.findall(r"[A-Z][A-Za-z]+", headings) if name in OPS}


def test_the_limits_are_the_checkers():
    assert f"1 to 2^{MAX_CHANNELS.bit_length() - 1} channels, 1 to 2^{MAX_LENGTH.bit_length() - 1} samples" in TEXT
