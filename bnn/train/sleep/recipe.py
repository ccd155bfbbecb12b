"""Recipes of the sleep network."""

from dataclasses import dataclass

from bnn.models.sleep.binary.config import BinarySleepConfig
from bnn.models.sleep.config import SIGNALS, SleepConfig
from bnn.train.recipe import Recipe


@dataclass(frozen=True)
class SleepRecipe(Recipe):
    """One way to train one sleep network, in two stages (Wang et al., 10.3389/fphys.2023.1171467).

    epochs          of the first stage: all extractors and the last exit, by the labels
    student_epochs  of the second stage: the other exits, while all else is frozen; the paper does not give its length
    decay           factor on the learning rate from epoch to epoch, in (0, 1]; each stage begins at lr
    class_weights   weights of W, N1, N2, N3, REM in the cross-entropy, > 0
    distillation    the other exits learn from the last one's answers; False: from the labels, as the first stage does
    exits           most signals and exits to use, 1 to 3; a set that has fewer makes a network of fewer
    features, feed_forward, dropout, cbam, se    see SleepConfig
    binary          True trains the binarised network: see BinarySleepConfig for attention and hidden
    teaching        weight of a float run's answers, in the loss of the first stage, beside the labels, in [0, 1]
    temperature     by which both logits are divided where a teacher's answers are learned, > 0
    """

    batch: int = 256
    lr: float = 3e-4
    weight_decay: float = 0.01
    student_epochs: int = 150
    decay: float = 0.93
    class_weights: tuple[float, ...] = (1.0, 1.8, 1.0, 1.25, 1.2)
    distillation: bool = True
    exits: int = len(SIGNALS)
    features: int = 64
    feed_forward: int = 2048
    dropout: float = 0.5
    cbam: bool = True
    se: bool = True
    binary: bool = False
    attention: bool = True
    hidden: int = BinarySleepConfig.hidden
    teaching: float = 0.0
    temperature: float = 2.0

    def __post_init__(self):
        super().__post_init__()
        self._check("student_epochs", self.student_epochs >= 1, "at least 1")
        self._check("decay", 0 < self.decay <= 1, "a number in (0, 1]")
        positive = all(isinstance(w, (int, float)) and w > 0 for w in self.class_weights)
        self._check("class_weights", len(self.class_weights) == 5 and positive, "five numbers above 0")
        self._check("exits", 1 <= self.exits <= len(SIGNALS), f"1 to {len(SIGNALS)}")
        step = 2 if self.binary else 8
        self._check("features", self.features >= step and self.features % step == 0, f"a multiple of {step}")
        self._check("dropout", 0 <= self.dropout < 1, "a number in [0, 1)")
        self._check("feed_forward", self.feed_forward >= 1, "at least 1")
        self._check("hidden", self.hidden >= 1, "at least 1")
        self._check("teaching", 0 <= self.teaching <= 1, "a number in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")

    def config(self, **shared) -> SleepConfig | BinarySleepConfig:
        """The network this recipe trains; `shared` are the fields that follow from the set."""
        if self.binary:
            own = dict(attention=self.attention, hidden=self.hidden)
            return BinarySleepConfig(features=self.features, feed_forward=self.feed_forward, **own, **shared)
        own = dict(dropout=self.dropout, cbam=self.cbam, se=self.se)
        return SleepConfig(features=self.features, feed_forward=self.feed_forward, **own, **shared)


# Binary weights learn at a higher rate, and do not decay: their size says how sure a sign is. Exits taught by labels
# know when they do not know; KL(student || teacher) makes them sure of one class of several (docs/SLEEP.md).
_BINARY = dict(
    binary=True,
    epochs=60,
    student_epochs=20,
    batch=64,
    lr=0.005,
    decay=0.93,
    weight_decay=0.0,
    dropout=0.0,
    distillation=False,
)


RECIPES = (
    SleepRecipe("default", "sleep", epochs=150),
    SleepRecipe("small", "sleep", epochs=150, features=16, feed_forward=128),
    SleepRecipe("binary", "sleep", features=32, feed_forward=96, **_BINARY),
    SleepRecipe("tiny", "sleep", features=24, attention=False, **_BINARY),
)
"""The paper's, one that a processor trains, and the two binarised networks."""
