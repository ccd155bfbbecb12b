"""Trained networks: for each name a graph, the model it was lowered from, and its card."""

from pathlib import Path

from bnn.errors import FileError

FOLDER = Path(__file__).parent


def names(prefix: str = "") -> list[str]:
    """Names of the networks that begin so, as "ecg" or "sleep" do, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}*.graph"))


def graph_path(name_or_path: str) -> Path:
    """The graph file that the user means: a file of that path, else the zoo's of that name."""
    return _resolve(name_or_path, ".graph")


def model_path(name_or_path: str) -> Path:
    """The trained model that the user means: a file, a run folder, or a name of the zoo."""
    if (run := Path(name_or_path) / "model.safetensors").is_file():
        return run
    return _resolve(name_or_path, ".safetensors")


def _resolve(name_or_path: str, suffix: str) -> Path:
    path = Path(name_or_path)
    if path.is_file():
        return path
    if path.name == name_or_path and (FOLDER / f"{name_or_path}{suffix}").is_file():
        return FOLDER / f"{name_or_path}{suffix}"
    raise FileError(f"{name_or_path}: neither a {suffix} file nor a network of the zoo, which has {', '.join(names())}")
