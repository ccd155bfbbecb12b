"""Recipes of MC2SleepNet."""

from dataclasses import dataclass, fields

from bnn.models.mc2.config import Mc2Config
from bnn.train.recipe import Recipe

PHASES = ("align", "mask", "tune")


@dataclass(frozen=True)
class Mc2Recipe(Recipe):
    """One way to train one MC2SleepNet, in three phases (Na et al. 2025, arXiv 2502.17470), each with AdamW, its
    learning rate falling from lr to 0 along a cosine.

    align   the backbones of both views, by a contrastive loss between them, without labels
    mask    the encoders, by rebuilding masked epochs of one view with the help of the other, without labels
    tune    the encoders and the classifiers, by the labels

    Our sources give neither lengths nor rates: these are ours.

    phase                      all, one after the other; or one alone, where mask and tune go on from an earlier run
    epochs                     passes of the phase tune
    align_epochs, mask_epochs  passes of the other phases
    batch                      epochs of 30 s per step of the phase align
    sequences                  sequences per step of the others
    temperature                of the contrastive loss, > 0
    mask                       share of a sequence that is masked, in (0, 1)
    clip                       largest norm of a step's gradient, > 0
    mixed                      mixed precision on a GPU
    channel, gap, sequence, width, cnn, spectrogram_layers, layers, heads, mask_heads, feed_forward, dropout
                               see Mc2Config
    """

    batch: int = 256
    lr: float = 5e-4
    weight_decay: float = 1e-2
    phase: str = "all"
    align_epochs: int = 100
    mask_epochs: int = 50
    sequences: int = 32
    temperature: float = 0.07
    mask: float = 0.25
    clip: float = 1.0
    mixed: bool = True
    channel: int = Mc2Config.channel
    gap: int = Mc2Config.gap
    sequence: int = Mc2Config.sequence
    width: int = Mc2Config.width
    cnn: int = Mc2Config.cnn
    spectrogram_layers: int = Mc2Config.spectrogram_layers
    layers: int = Mc2Config.layers
    heads: int = Mc2Config.heads
    mask_heads: int = Mc2Config.mask_heads
    feed_forward: int = Mc2Config.feed_forward
    dropout: float = Mc2Config.dropout

    def __post_init__(self):
        super().__post_init__()
        self._check("phase", self.phase in ("all", *PHASES), f"all, {', '.join(PHASES)}")
        for field in ("align_epochs", "mask_epochs", "sequences", "gap", "sequence"):
            self._check(field, getattr(self, field) >= 1, "at least 1")
        self._check("batch", self.batch >= 2, "at least 2, for a contrast")
        self._check("channel", self.channel >= 0, "at least 0")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("mask", 0 < self.mask < 1, "a number in (0, 1)")
        self._check("clip", self.clip > 0, "above 0")
        self._check("dropout", 0 <= self.dropout < 1, "a number in [0, 1)")
        self.config(("a", "b"), 1, 3000)  # the network's own checks

    @property
    def continues(self) -> bool:
        return self.phase in PHASES[1:]

    @property
    def phases(self) -> tuple[str, ...]:
        """Those to go through, in order."""
        return PHASES if self.phase == "all" else (self.phase,)

    def passes(self, phase: str) -> int:
        """Over the training part, in the phase of that name."""
        return {"align": self.align_epochs, "mask": self.mask_epochs, "tune": self.epochs}[phase]

    def config(self, classes: tuple[str, ...], scale: int, samples: int) -> Mc2Config:
        """The network this recipe trains."""
        shared = {f.name: getattr(self, f.name) for f in fields(Mc2Config) if hasattr(self, f.name)}
        return Mc2Config(classes, scale, samples, **shared)


RECIPES = (
    Mc2Recipe("default", "mc2sleep", epochs=50),
    Mc2Recipe(
        "small", "mc2sleep", epochs=30, align_epochs=30, mask_epochs=20, batch=128, sequences=16, lr=2e-3,
        width=64, cnn=32, spectrogram_layers=1, layers=2, heads=4, feed_forward=128,
    ),
)  # fmt: skip
"""The paper's sizes, and one that a processor trains in minutes."""
