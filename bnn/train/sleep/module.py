"""The sleep network as Lightning trains it: twice."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bnn.models.sleep.net import SleepNet
from bnn.train.kept import restore_chosen
from bnn.train.sleep.recipe import SleepRecipe
from bnn.train.training import Training


@dataclass(frozen=True, slots=True)
class Stage:
    """An epoch's place: epoch number `epoch`, from 0, of the stage that trains the students or of the one before."""

    students: bool
    epoch: int


class SleepTraining(Training):
    """Two stages (Wang et al., 10.3389/fphys.2023.1171467), each with the learning rate's decay from the start.

    First the extractors and the last exit learn by weighted cross-entropy. Then these are frozen, at the weights that
    were best on the validation part, and the exits before, the students, learn from the last one: the loss is the sum
    of KL(student || last exit), or, without distillation, of their cross-entropies. A network with one exit has no
    second stage. A teacher's answers, the lessons of a batch, take the share `recipe.teaching` of the first stage's
    loss (Hinton et al., arXiv 1503.02531).

    One Adam serves both: what is not trained has no gradient, so it neither moves nor decays.
    """

    def __init__(self, net: SleepNet, recipe: SleepRecipe, seed: int, watched: tuple[str, ...] = ()):
        super().__init__(net, recipe, seed, watched)
        self.register_buffer("class_weights", torch.tensor(recipe.class_weights), persistent=False)
        self._enter(students=False)

    def configure_optimizers(self):
        adam = torch.optim.Adam(
            self.net.parameters(), self.recipe.lr, weight_decay=self.recipe.weight_decay, amsgrad=True
        )
        return {"optimizer": adam, "lr_scheduler": torch.optim.lr_scheduler.LambdaLR(adam, self._rate)}

    def _rate(self, epoch: int) -> float:
        return self.recipe.decay ** self._stage(epoch).epoch

    def _stage(self, epoch: int) -> Stage:
        students = epoch >= self.recipe.epochs
        return Stage(students, epoch - self.recipe.epochs if students else epoch)

    def on_train_epoch_start(self) -> None:
        stage = self._stage(self.current_epoch)
        if stage.students and stage.epoch == 0:
            restore_chosen(self.net, self.trainer)
        self._enter(stage.students)
        super().on_train_epoch_start()

    def _enter(self, students: bool) -> None:
        """Freeze what the students build on, batch norms and dropout included, or thaw it."""
        signals = self.net.config.signals
        self.stages_done = int(students)
        self.judged = signals[:-1] if students else signals[-1:]
        for module in (*self.net.extractors, self.net.exits[-1]):
            module.train(not students).requires_grad_(not students)

    def judge(self, x: dict[str, Tensor], y: Tensor, *lesson: Tensor) -> tuple[Tensor, list[Tensor]]:
        if not self.stages_done:
            logits = self.net.last(x)
            loss = self._by_labels(logits, y)
            if lesson:
                loss = torch.lerp(loss, self._by_lesson(logits, *lesson), self.recipe.teaching)
            return loss, [logits]
        with torch.no_grad():
            maps = self.net.maps(x)
        students = [leave(maps[:, : k + 1]) for k, leave in enumerate(self.net.exits[:-1])]
        if not self.recipe.distillation:
            return sum(self._by_labels(logits, y) for logits in students), students
        with torch.no_grad():
            wanted = functional.log_softmax(self.net.exits[-1](maps), dim=1)
        return sum(divergence(functional.log_softmax(logits, dim=1), wanted) for logits in students), students

    def _by_lesson(self, logits: Tensor, lesson: Tensor) -> Tensor:
        """T^2 KL(teacher || network), both softened by the temperature T."""
        wanted = functional.log_softmax(lesson / self.recipe.temperature, dim=1)
        got = functional.log_softmax(logits / self.recipe.temperature, dim=1)
        return self.recipe.temperature**2 * functional.kl_div(got, wanted, reduction="batchmean", log_target=True)

    def _by_labels(self, logits: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(logits, y, weight=self.class_weights)


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """The mean of KL(student || teacher) = sum_c s_c log(s_c / t_c) over a batch of log-probabilities (B, classes)."""
    return functional.kl_div(teacher, student, reduction="batchmean", log_target=True)
