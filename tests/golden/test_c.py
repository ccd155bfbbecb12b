"""The generated C against the golden vectors, on this computer and on an emulated Cortex-M0."""

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="no cross compiler: pip install 'bnn-wearables[mcu]'")
pytest.importorskip("unicorn", reason="no emulator: pip install 'bnn-wearables[mcu]'")

from codegen import KnownAnswer, generate  # noqa: E402
from firmware.runners import open_runner  # noqa: E402
from tests.golden import NAMES, load_golden  # noqa: E402


@pytest.mark.parametrize("target", ["host", "cortex-m0"])
@pytest.mark.parametrize("name", NAMES)
def test_c_equals_the_golden_vectors(tmp_path, name, target):
    case = load_golden(name)
    x = case.tensors["ecg"]
    answer = KnownAnswer({"ecg": x[0]}, case.tensors["logits"][0], int(case.classes[0]))
    generate(case.graph, tmp_path / "c", known_answer=answer, command="test", graph_sha256="0" * 64, tool_version="0")
    result = open_runner(tmp_path / "c", target, tmp_path / "build", traced=True).run(np.ascontiguousarray(x[:, 0]))
    np.testing.assert_array_equal(result.logits, case.tensors["logits"])
    np.testing.assert_array_equal(result.classes, case.classes)
    assert "logits" in result.tensors and len(result.tensors) > 2
    for tensor, got in result.tensors.items():
        np.testing.assert_array_equal(got, case.tensors[tensor], err_msg=tensor)
