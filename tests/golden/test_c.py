"""The generated C against the golden vectors, on this computer and on an emulated Cortex-M0."""

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="no cross compiler: pip install 'bnn-wearables[mcu]'")
pytest.importorskip("unicorn", reason="no emulator: pip install 'bnn-wearables[mcu]'")

from codegen import KnownAnswer, generate  # noqa: E402
from firmware.runners import open_runner  # noqa: E402
from tests.golden import NAMES, STAGED, load_golden  # noqa: E402


def rows(signals: dict[str, np.ndarray]) -> np.ndarray:
    """(n, values): signals one after the other, channels side by side."""
    return np.concatenate([x.transpose(0, 2, 1).reshape(len(x), -1) for x in signals.values()], axis=1)


@pytest.mark.parametrize("target", ["host", "cortex-m0"])
@pytest.mark.parametrize("name", [*NAMES, STAGED])
def test_c_equals_the_golden_vectors(tmp_path, name, target):
    case = load_golden(name)
    logits = case.tensors[case.graph.stages[-1].logits]
    answer = KnownAnswer({key: x[0] for key, x in case.signals.items()}, logits[0], int(case.classes[0]))
    generate(case.graph, tmp_path / "c", known_answer=answer, command="test", graph_sha256="0" * 64, tool_version="0")
    result = open_runner(tmp_path / "c", target, tmp_path / "build", traced=True).run(rows(case.signals))
    np.testing.assert_array_equal(result.logits, logits)
    np.testing.assert_array_equal(result.classes, case.classes)
    assert case.graph.stages[-1].logits in result.tensors and len(result.tensors) > 2
    for tensor, got in result.tensors.items():
        np.testing.assert_array_equal(got, case.tensors[tensor], err_msg=tensor)
