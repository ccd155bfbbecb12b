"""What every recipe has: a name, a task, and how long and how fast a network is trained."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Self

from bnn.errors import ModelError


@dataclass(frozen=True)
class Recipe:
    """One way to train one network; the tasks add what is theirs.

    epochs        passes over the training part
    batch         windows per step
    lr            learning rate of Adam, in (0, 1]
    weight_decay  of Adam
    """

    name: str
    task: str
    epochs: int
    batch: int = 64
    lr: float = 0.01
    weight_decay: float = 0.0

    teaching = 0.0
    """Weight of a teacher's answers; 0 asks for no teacher."""

    continues = False
    """Does the training go on from the network of an earlier run?"""

    clip = None
    """Largest norm of a step's gradient, None for any."""

    mixed = False
    """Mixed precision (bfloat16) on a GPU."""

    def __post_init__(self):
        self._check("epochs", self.epochs >= 1, "at least 1")
        self._check("batch", self.batch >= 1, "at least 1")
        self._check("lr", 0 < self.lr <= 1, "a number in (0, 1]")
        self._check("weight_decay", self.weight_decay >= 0, "at least 0")

    def _check(self, field: str, holds: bool, wanted: str) -> None:
        if not holds:
            raise ModelError(
                f"recipe {self.task}/{self.name}: {field} is {getattr(self, field)!r}, wanted {wanted}; "
                "change the value given for it"
            )

    def with_overrides(self, **values) -> Self:
        """The same recipe with some fields changed.

        Raises ModelError for an unknown field or a value of the wrong type or range.
        """
        known = {f.name: f.type for f in fields(self) if f.name not in ("name", "task")}
        for field, value in values.items():
            if field not in known:
                raise ModelError(f"a recipe has no field {field!r}; its fields are {', '.join(known)}")
            wanted = type(getattr(self, field))
            value = values[field] = tuple(value) if isinstance(value, list) else value
            if isinstance(value, bool) != (wanted is bool) or not isinstance(value, (int, wanted)):
                raise ModelError(
                    f"recipe {self.task}/{self.name}: {field} is {value!r}, wanted {wanted.__name__}; "
                    "change the value given for it"
                )
        return replace(self, **{k: type(getattr(self, k))(v) for k, v in values.items()})

    def to_dict(self) -> dict:
        """Plain values, for run.json and the metadata of a checkpoint."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
