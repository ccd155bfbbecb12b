"""A trained network as one safetensors file: tensors, and in the metadata what they are.

format    "bnn-checkpoint"
version   1
network   "ecg", "sleep", "sleep-binary" or "mc2sleep"
config    JSON of its EcgConfig, SleepConfig, BinarySleepConfig or Mc2Config
metadata  JSON of whatever the trainer wants remembered: recipe, protocol, seed, figures
"""

import json
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import nn

from bnn.errors import ModelError
from bnn.files import write_atomic
from bnn.models.ecg import EcgConfig, EcgNet
from bnn.models.mc2.config import Mc2Config
from bnn.models.mc2.net import Mc2Net
from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.binary.net import BinarySleepNet
from bnn.models.sleep.config import SleepConfig
from bnn.models.sleep.net import SleepNet

FORMAT, VERSION = "bnn-checkpoint", 1
NETWORKS = {
    "ecg": (EcgConfig, EcgNet),
    "sleep": (SleepConfig, SleepNet),
    "sleep-binary": (BinarySleepConfig, BinarySleepNet),
    "mc2sleep": (Mc2Config, Mc2Net),
}


def save_model(model: nn.Module, path: Path, metadata: dict, *, force: bool = True) -> None:
    """Write `model` and `metadata` (plain values) to `path`. Raises FileError if it cannot be written."""
    header = {
        "format": FORMAT,
        "version": str(VERSION),
        "network": next(name for name, (_, network) in NETWORKS.items() if type(model) is network),
        "config": json.dumps(asdict(model.config)),
        "metadata": json.dumps(metadata),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_atomic(Path(path), safetensors.torch.save(tensors, header), force=force)


def load_model(path: Path, *networks: str) -> tuple[nn.Module, dict]:
    """The network in `path`, in eval mode, and its metadata. `networks` names those that will do; none: all.

    Raises ModelError if the file is missing, damaged, of another kind, newer, or does not fit its own config.
    """
    path = Path(path)
    header, tensors = _read(path)
    _check_header(path, header, networks or tuple(NETWORKS))
    config, network = NETWORKS[header["network"]]
    model = network(_config(path, header, config))
    _check_tensors(path, model, tensors)
    model.load_state_dict(tensors)
    return model.eval(), _json(path, header, "metadata")


def _read(path: Path) -> tuple[dict, dict]:
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such checkpoint; train one with `bnn train`, or name one of the zoo") from error
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path}: not a readable safetensors file ({error}); it may be cut off, copy or train it again"
        ) from error


def _check_header(path: Path, header: dict, networks: tuple[str, ...]) -> None:
    if header.get("format") != FORMAT:
        raise ModelError(
            f"{path}: format is {header.get('format')!r}, wanted {FORMAT!r}; "
            "give the model.safetensors that `bnn train` wrote"
        )
    version = header.get("version", "")
    if not version.isdecimal() or int(version) > VERSION:
        raise ModelError(f"{path}: version is {version!r}, this program reads up to {VERSION}; update it")
    if header.get("network") not in networks:
        wanted = " or ".join(map(repr, networks))
        raise ModelError(f"{path}: holds a network {header.get('network')!r}, wanted {wanted}; choose another file")


def _json(path: Path, header: dict, key: str) -> dict:
    try:
        value = json.loads(header[key])
    except (KeyError, ValueError) as error:
        raise ModelError(f"{path}: the entry {key!r} of its header is missing or damaged; train it again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: the entry {key!r} of its header is {type(value).__name__}, wanted a JSON object")
    return value


def _config(path: Path, header: dict, kind: type) -> EcgConfig | SleepConfig | BinarySleepConfig | Mc2Config:
    values = _json(path, header, "config")
    known = {f.name for f in fields(kind)}
    unknown = sorted(set(values) - known)
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.name not in values]
    if unknown or missing:
        what = f"key {unknown[0]!r} is unknown" if unknown else f"key {missing[0]!r} is missing"
        raise ModelError(f"{path}: in the config, {what}; known are {', '.join(sorted(known))}")
    try:
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except (TypeError, ModelError) as error:
        raise ModelError(f"{path}: the config describes no network ({error}); train it again") from error


def _check_tensors(path: Path, model: nn.Module, tensors: dict) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    got = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(wanted | got):
        if wanted.get(name) != got.get(name):
            raise ModelError(
                f"{path}: tensor {name} has shape {got.get(name, 'none')}, its config wants "
                f"{wanted.get(name, 'none')}; the file is of another model or damaged"
            )
