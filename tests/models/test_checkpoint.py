"""A checkpoint comes back as it went, and says in one sentence why it cannot."""

import json

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from bnn.errors import FileError, ModelError
from bnn.models.checkpoint import load_model, save_model
from bnn.models.ecg import EcgConfig, blank

CONFIG = EcgConfig(("N", "S", "V"), samples=400, weight_estimator="ste")


@pytest.fixture
def saved(tmp_path):
    net = blank(CONFIG, 4)
    net(torch.randn(8, 1, 400))  # moves the batch norms off their defaults
    save_model(net, tmp_path / "model.safetensors", {"protocol": "stratified", "seed": 4})
    return net, tmp_path / "model.safetensors"


def rewrite(path, *, header=None, tensors=None):
    """The same file with some header entries (None removes one) or tensors changed."""
    with safe_open(path, "pt") as file:
        old, content = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    merged = {k: v for k, v in (old | (header or {})).items() if v is not None}
    safetensors.torch.save_file(content | (tensors or {}), path, merged)


def test_round_trip(saved):
    net, path = saved
    again, metadata = load_model(path)
    assert metadata == {"protocol": "stratified", "seed": 4}
    assert again.config == CONFIG and not again.training
    x = torch.randn(3, 1, 400)
    assert torch.equal(net.eval()(x), again(x))


def test_writing_is_atomic_and_can_refuse_to_replace(saved):
    net, path = saved
    with pytest.raises(FileError, match="exists already; pass --force"):
        save_model(net, path, {}, force=False)
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("keep", [0, 5, 100, -20])
def test_damaged_file(saved, keep):
    path = saved[1]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="not a readable safetensors file .*cut off"):
        load_model(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ModelError, match="none.safetensors: no such checkpoint; train one"):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"format": "bnn-graph"}, "format is 'bnn-graph', wanted 'bnn-checkpoint'; give the model.safetensors"),
        ({"format": None}, "format is None, wanted 'bnn-checkpoint'"),
        ({"version": "2"}, "version is '2', this program reads up to 1; update it"),
        (
            {"network": "gait"},
            "holds a network 'gait', wanted 'ecg' or 'sleep' or 'sleep-binary' or 'mc2sleep'; choose",
        ),
        ({"network": "sleep"}, "in the config, key 'activation_estimator' is unknown; known are cbam, channels"),
        ({"config": "{"}, "entry 'config' of its header is missing or damaged"),
        ({"metadata": "[]"}, "entry 'metadata' of its header is list, wanted a JSON object"),
        ({"config": "{}"}, "in the config, key 'classes' is missing"),
        ({"config": json.dumps({"classes": ["a", "b"], "depth": 3})}, "in the config, key 'depth' is unknown; known"),
        ({"config": json.dumps({"classes": ["a", "b", "c", "d"]})}, "of another model or damaged"),
        ({"config": json.dumps({"classes": ["a"]})}, "the config describes no network"),
        ({"config": json.dumps({"classes": 5})}, "the config describes no network"),
    ],
)
def test_bad_header(saved, header, words):
    rewrite(saved[1], header=header)
    with pytest.raises(ModelError, match=words):
        load_model(saved[1])


def test_a_network_of_another_task_than_wanted(saved):
    assert load_model(saved[1], "ecg")[0].config == CONFIG
    with pytest.raises(ModelError, match="holds a network 'ecg', wanted 'sleep'; choose another file"):
        load_model(saved[1], "sleep")


def test_tensor_of_another_model(saved):
    rewrite(saved[1], tensors={"blocks.0.conv.weight": torch.zeros(8, 1, 5)})
    with pytest.raises(ModelError, match=r"blocks.0.conv.weight has shape \(8, 1, 5\), its config wants"):
        load_model(saved[1])
    rewrite(saved[1], tensors={"extra": torch.zeros(1)})
    with pytest.raises(ModelError, match="another model or damaged"):
        load_model(saved[1])
