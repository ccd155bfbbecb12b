"""Named recipes: everything that decides a training but the data, the split and the seed."""

from dataclasses import dataclass

from bnn.errors import ModelError
from bnn.models.ecg import NORMALISATIONS, READOUTS, EcgConfig
from bnn.models.quant import ESTIMATORS
from bnn.train.ambulatory import CLEANEST
from bnn.train.augment import Augmentation
from bnn.train.mc2.recipe import RECIPES as MC2_RECIPES
from bnn.train.recipe import Recipe
from bnn.train.sleep.recipe import RECIPES as SLEEP_RECIPES

SCHEDULES = ("cosine", "constant")


@dataclass(frozen=True)
class EcgRecipe(Recipe):
    """One way to train one ECG network.

    schedule              cosine: falls to 0 over the epochs; constant: stays
    channels              of the blocks between signal and classes
    binary                False trains the float twin
    real_weights          share of the epochs that train real weights between binary activations, before binary
                          weights take over with a fresh optimiser and schedule (staged binarisation), in [0, 1)
    smoothing             label smoothing of the loss, in [0, 1)
    balance               exponent on the classes' inverse frequency in drawing windows: 0 draws each window once an
                          epoch, 1 draws all classes alike, with replacement
    dropout               share of the last block's outputs dropped in training, in [0, 1)
    logit_scale           factor on the logits in the loss, > 0; a sum of 27 positions is too steep for softmax
    teaching              weight of a teacher's answers in the loss beside the labels, in [0, 1]; 0 asks for no teacher
    temperature           by which both logits are divided where a teacher's answers are learned, > 0
    weight_estimator      annealed, ste or approxsign
    activation_estimator  annealed, ste or approxsign
    recut                 share of the windows cut anew from their records in each epoch, in [0, 1]; see data.recut
    ambulatory            share of the windows that get noise of the MIT-BIH Noise Stress Test Database, in [0, 1]
    worst_snr             lowest ratio at which it is mixed in, in dB, at most 24; see Ambulatory
    shift, gain, noise    see Augmentation
    monotone              keep the PReLU slopes before a sign at 0 or above, so that one threshold a channel is enough
    readout               sum: over the last block's positions, as the paper has it; max: the largest of them
    normalisation         window: by a window's own mean and std; past: by those of the window before, held by the set
    settled               share of the epochs before the first that may be chosen on the validation part, in [0, 1):
                          a small part says little, and picks by chance one of the rough epochs of a high learning rate
    patience              epochs without a better validation accuracy before training stops, 0 for never;
                          counts only where the split has a validation part
    """

    schedule: str = "cosine"
    channels: tuple[int, ...] = EcgConfig.channels
    binary: bool = True
    real_weights: float = 0.0
    smoothing: float = 0.0
    balance: float = 0.0
    dropout: float = 0.1
    logit_scale: float = 0.25
    teaching: float = 0.0
    temperature: float = 2.0
    weight_estimator: str = "annealed"
    activation_estimator: str = "annealed"
    recut: float = 0.0
    ambulatory: float = 0.0
    worst_snr: float = 6.0
    shift: bool = True
    gain: float = 0.1
    noise: float = 0.02
    monotone: bool = True
    readout: str = "sum"
    normalisation: str = "window"
    settled: float = 0.0
    patience: int = 0

    def __post_init__(self):
        super().__post_init__()
        self._check("schedule", self.schedule in SCHEDULES, " or ".join(SCHEDULES))
        self._check("real_weights", 0 <= self.real_weights < 1, "a number in [0, 1)")
        self._check("smoothing", 0 <= self.smoothing < 1, "a number in [0, 1)")
        self._check("balance", 0 <= self.balance <= 1, "a number in [0, 1]")
        self._check("dropout", 0 <= self.dropout < 1, "a number in [0, 1)")
        self._check("logit_scale", self.logit_scale > 0, "above 0")
        self._check("channels", len(self.channels) == 5 and all(c >= 1 for c in self.channels), "five numbers above 0")
        self._check("teaching", 0 <= self.teaching <= 1, "a number in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("recut", 0 <= self.recut <= 1, "a number in [0, 1]")
        self._check("gain", 0 <= self.gain < 1, "a number in [0, 1)")
        self._check("noise", self.noise >= 0, "at least 0")
        self._check("settled", 0 <= self.settled < 1, "a number in [0, 1)")
        self._check("patience", self.patience >= 0, "at least 0")
        self._check("readout", self.readout in READOUTS, " or ".join(READOUTS))
        self._check("normalisation", self.normalisation in NORMALISATIONS, " or ".join(NORMALISATIONS))
        self._check("ambulatory", 0 <= self.ambulatory <= 1, "a number in [0, 1]")
        self._check("worst_snr", self.worst_snr <= CLEANEST, f"at most {CLEANEST:g} dB")
        for field in ("recut", "ambulatory"):
            past = self.normalisation == "past"
            self._check(field, not (getattr(self, field) and past), "0 with the normalisation past")
        for field in ("weight_estimator", "activation_estimator"):
            self._check(field, getattr(self, field) in ESTIMATORS, " or ".join(ESTIMATORS))

    def config(self, classes: tuple[str, ...], samples: int) -> EcgConfig:
        """The network this recipe trains, for these classes and windows of this many samples, their past included."""
        return EcgConfig(
            classes=tuple(classes),
            channels=self.channels,
            samples=samples // (2 if self.normalisation == "past" else 1),
            normalisation=self.normalisation,
            readout=self.readout,
            binary=self.binary,
            dropout=self.dropout,
            logit_scale=self.logit_scale,
            weight_estimator=self.weight_estimator,
            activation_estimator=self.activation_estimator,
        )

    def augmentation(self) -> Augmentation | None:
        """What changes the training windows, None where the recipe leaves them alone."""
        chosen = Augmentation(self.shift, self.gain, self.noise)
        return chosen if chosen != Augmentation(False, 0.0, 0.0) else None


# The reference set-up of Pu et al. (arXiv 2304.01568): long, constant rate, no augmentation, no logit scale.
_PAPER = dict(
    monotone=False, epochs=1000, schedule="constant", dropout=0.5, logit_scale=1.0, shift=False, gain=0.0, noise=0.0
)
_FLOAT = dict(binary=False, lr=0.005, dropout=0.2)

# What docs/EXPERIMENTS.md found: windows cut anew are the augmentation, and then dropout and the others only harm.
_BEST = dict(recut=0.95, dropout=0.0, shift=False, gain=0.0, noise=0.01)
_BEST_FLOAT = _BEST | dict(binary=False, lr=0.005)
_BEST17 = _BEST | dict(settled=0.9)  # its validation part is of 80 or 90 windows

# The same storage spent on wider first blocks; and the largest value instead of a sum, as single beats name a window.
_WIDE17, _WIDE5 = dict(channels=(16, 32, 32, 32, 44)), dict(channels=(16, 32, 32, 32, 40))
_PLUS5 = _BEST | _WIDE5 | dict(readout="max", settled=0.9)

# For patients that training has not seen, noise is what helps most; and four records to validate on say little.
_STRANGERS = dict(ambulatory=0.8, settled=0.9)

_RECIPES = {
    (r.task, r.name): r
    for r in (
        EcgRecipe("default", "ecg17", epochs=1000),
        EcgRecipe("paper", "ecg17", batch=64, lr=0.002, **_PAPER),
        EcgRecipe("float", "ecg17", epochs=200, **_FLOAT),
        EcgRecipe("best", "ecg17", epochs=800, **_BEST17),
        EcgRecipe("best-float", "ecg17", epochs=200, **_BEST_FLOAT),
        EcgRecipe("plus", "ecg17", epochs=800, **_BEST17, **_WIDE17),
        EcgRecipe("plus-float", "ecg17", epochs=200, **_BEST_FLOAT, **_WIDE17),
        EcgRecipe("default", "ecg5", epochs=200),
        EcgRecipe("paper", "ecg5", batch=512, lr=0.02, **_PAPER),
        EcgRecipe("float", "ecg5", epochs=60, **_FLOAT),
        EcgRecipe("best", "ecg5", epochs=150, **_BEST),
        EcgRecipe("best-float", "ecg5", epochs=40, **_BEST_FLOAT),
        EcgRecipe("plus", "ecg5", epochs=150, **_PLUS5),
        EcgRecipe("plus-float", "ecg5", epochs=40, **_PLUS5 | _BEST_FLOAT),
        EcgRecipe("inter-patient", "ecg5", epochs=100, **_BEST, **_WIDE5, **_STRANGERS),
        EcgRecipe("inter-patient-float", "ecg5", epochs=40, **_BEST_FLOAT, **_WIDE5, **_STRANGERS),
        *SLEEP_RECIPES,
        *MC2_RECIPES,
    )
}


def recipe(task: str, name: str = "default", **overrides) -> Recipe:
    """The recipe `name` of `task` with some fields changed.

    Raises ModelError for an unknown task, name or field, and for a value out of range.
    """
    names = recipe_names(task)
    if name not in names:
        raise ModelError(f"task {task} has no recipe {name!r}; choose one of {', '.join(names)}")
    return _RECIPES[task, name].with_overrides(**overrides)


def recipe_names(task: str) -> tuple[str, ...]:
    """The names of a task's recipes. Raises ModelError for an unknown task."""
    names = tuple(name for known, name in _RECIPES if known == task)
    if not names:
        tasks = dict.fromkeys(known for known, _ in _RECIPES)
        raise ModelError(f"task {task!r} is unknown; choose one of {', '.join(tasks)}")
    return names
