"""What is evaluated: an integer graph or a trained network, and the windows that its training left for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bnn import zoo
from bnn.cli.common import load_set, open_graph, progress_bar, split_set
from bnn.cli.engine import open_engine
from bnn.cli.graph_exits import GraphExits
from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import DataError, ToolError
from bnn.exits import Staged
from bnn.graph import Graph

if TYPE_CHECKING:
    from bnn.models.mc2.net import Mc2Net


@dataclass(frozen=True, slots=True)
class Subject:
    """A classifier.

    kind         in words, for the screen
    about        what it says of its training: set, protocol, seed, fold ...
    logit_scale  the factor on its logits in the loss of its training; None where it does not say
    logits       the x of a set, (n, samples) int16 or a dict of signals, -> (n, classes) float, in units of 1; None
                 where samples are not enough to answer by
    staged       its exits, None where it has one and no stages
    voting       the Mc2Net that it is, which reads epochs in the sequence of their night
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    about: dict[str, str]
    logit_scale: float | None
    logits: Callable[[np.ndarray], np.ndarray] | None
    staged: Staged | None = None
    voting: "Mc2Net | None" = None

    def scale(self) -> float:
        """`logit_scale`. Raises DataError where it is not known."""
        if self.logit_scale is None:
            raise DataError(
                f"{self.name}: does not say the logit scale of its training, which confidence needs; "
                "lower the trained network again with `bnn lower`"
            )
        return self.logit_scale


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a split set: the windows to look at, and the split for those who report on it."""

    windows: WindowSet | EpochSet
    split: Split
    name: str

    def protocol(self) -> str:
        """As figures are labelled, for example "kfold (seed 0, fold 3)"."""
        fold = f", fold {self.split.fold}" if self.split.folds > 1 else ""
        return f"{self.split.protocol} (seed {self.split.seed}{fold})"


def need_torch() -> None:
    """Raise ToolError where trained networks cannot be run."""
    try:
        import brevitas  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise ToolError(
            f"{error.name} is not installed, and trained models need it: "
            "pip install torch==2.13.0 && pip install 'bnn-wearables[train]'"
        ) from error


def open_subject(model: str, engine: str = "numpy", networks: tuple[str, ...] = ("ecg",)) -> Subject:
    """A name of the zoo or a .graph file is run in integers, by that engine; a run folder or a checkpoint by torch.

    `networks` are the kinds of trained network that will do, of bnn.models.checkpoint.
    """
    if model in zoo.names() or model.endswith(".graph"):
        return graph_subject(open_graph(model).graph, engine)
    need_torch()
    from bnn.models.checkpoint import load_model
    from bnn.models.mc2.net import Mc2Net
    from bnn.models.sleep.net import SleepNet

    net, metadata = load_model(zoo.model_path(model), *networks)
    about = origin(metadata)
    shared = model, _kind(net), net.config.classes, about, float(about["logit_scale"])
    if isinstance(net, SleepNet):
        from bnn.train.sleep.exits import NetExits

        exits = NetExits(net)
        return Subject(*shared, lambda x: exits.logits(x)[-1], exits)
    if isinstance(net, Mc2Net):
        from bnn.train.mc2.evaluate import require_tuned

        require_tuned(model, metadata)
        return Subject(*shared, None, voting=net)
    from bnn.train.evaluate import logits

    return Subject(*shared, lambda x: logits(net, x))


def _kind(net) -> str:
    return "trained network, " + ("binary" if getattr(net.config, "binary", False) else "float")


def graph_subject(graph: Graph, engine: str = "numpy") -> Subject:
    """The graph in one of bnn.cli.engine's engines."""
    unit = 2.0 ** logit_frac(graph)
    scale = graph.about.get("logit_scale")
    shared = graph.name, "integer graph", graph.classes, graph.about, float(scale) if scale else None
    if len(graph.stages) > 1:
        exits = GraphExits(graph)
        return Subject(*shared, lambda x: exits.logits(x)[-1], exits)
    running = open_engine(graph, engine)

    def logits(x: np.ndarray) -> np.ndarray:
        with progress_bar("simulating", len(x)) as progress:
            return running.run(x, progress).logits / unit

    return Subject(*shared, logits)


def logit_frac(graph: Graph) -> int:
    """Fraction bits of the last exit's logits."""
    return next(getattr(node, "frac", 0) for node in graph.nodes() if node.name == graph.stages[-1].logits)


def origin(metadata: dict) -> dict[str, str]:
    """What a graph remembers of its training, as text: set, protocol, seed, fold, recipe, logit scale, epochs."""
    recipe = metadata["recipe"]
    return {
        "set": metadata["data"]["name"],
        "synthetic": "yes" if metadata["data"]["synthetic"] else "no",
        "protocol": metadata["protocol"],
        "seed": str(metadata["split_seed"]),
        "fold": str(metadata["fold"]),
        "recipe": f"{recipe['task']}/{recipe['name']}",
        "logit_scale": f"{recipe.get('logit_scale', 1):g}",
        "epochs": str(metadata["epochs_done"]),
    }


def _remembered(subject: Subject, key: str) -> str:
    if key not in subject.about:
        raise DataError(f"{subject.name}: does not say the {key} of its training; name one with --{key}")
    return subject.about[key]


def open_part(
    subject: Subject,
    *,
    set_name: str | None = None,
    protocol: str | None = None,
    seed: int | None = None,
    fold: int | None = None,
    part: str = "test",
    synthetic: bool = False,
) -> Part:
    """The windows to evaluate `subject` on; what is not given is as it was trained.

    Raises DataError for a set of other classes, a part that the protocol does not have, a subject that does not say
    what is not given, and as the splits do.
    """
    windows = load_set(set_name or _remembered(subject, "set"), synthetic=synthetic)
    if tuple(windows.classes) != tuple(subject.classes):
        raise DataError(
            f"{subject.name}: knows classes {' '.join(subject.classes)}, but set {windows.name} has others; see --set"
        )
    seed = int(_remembered(subject, "seed")) if seed is None else seed
    fold = int(_remembered(subject, "fold")) if fold is None else fold
    parts = split_set(windows, protocol or _remembered(subject, "protocol"), seed, fold)
    if part not in ("train", "val", "test", "all"):
        raise DataError(f"--part is {part}, wanted train, val, test or all")
    indices = np.arange(len(windows)) if part == "all" else getattr(parts, part)
    if not len(indices):
        raise DataError(f"protocol {parts.protocol} has no {part} part; choose --part train or test")
    return Part(windows.subset(indices), parts, part)
