"""The ECG network as Lightning trains it."""

import math
from dataclasses import dataclass

import torch
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor
from torch.nn import functional

from bnn.models.ecg import EcgNet
from bnn.models.quant import set_binary_weights
from bnn.train.recipes import EcgRecipe
from bnn.train.training import Training


@dataclass(frozen=True, slots=True)
class Stage:
    """An epoch's place in its stage of training: epoch number `epoch` of `epochs`, from 0."""

    real_weights: bool
    epoch: int
    epochs: int

    @property
    def share_begun(self) -> float:
        return self.epoch / self.epochs

    @property
    def progress(self) -> float:
        """0 in the first epoch, 1 in the last."""
        return self.epoch / max(self.epochs - 1, 1)


class EcgTraining(Training):
    """Cross-entropy on scaled logits, Adam, and an estimator that anneals from epoch to epoch.

    A teacher's answers take the share `recipe.teaching` of the loss (Hinton et al., arXiv 1503.02531).
    """

    def __init__(
        self, net: EcgNet, recipe: EcgRecipe, seed: int, watched: tuple[str, ...] = (), teacher: EcgNet | None = None
    ):
        super().__init__(net.to(memory_format=torch.channels_last), recipe, seed, watched)  # 0.6 of the time a step
        self._taught_by = (teacher,)  # in a tuple it is none of the modules that are trained and saved

    @property
    def stages_done(self) -> int:
        """1 once `recipe.settled` admits an epoch's network, which is then chosen before any earlier one."""
        return int(self.current_epoch >= int(self.recipe.settled * self.recipe.epochs))

    def configure_callbacks(self) -> list[EarlyStopping]:
        if not ("val" in self.watched and self.recipe.patience):
            return []
        return [EarlyStopping("val_accuracy", mode="max", patience=self.recipe.patience)]

    def configure_optimizers(self):
        adam = torch.optim.Adam(self.net.parameters(), self.recipe.lr, weight_decay=self.recipe.weight_decay)
        return {"optimizer": adam, "lr_scheduler": torch.optim.lr_scheduler.LambdaLR(adam, self._rate)}

    def _rate(self, epoch: int) -> float:
        """The learning rate as a share of the recipe's: each stage has a schedule of its own."""
        if self.recipe.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * self._stage(epoch).share_begun))

    def _stage(self, epoch: int) -> Stage:
        first = int(self.recipe.real_weights * self.recipe.epochs)
        if epoch < first:
            return Stage(True, epoch, first)
        return Stage(False, epoch - first, self.recipe.epochs - first)

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        stage = self._stage(self.current_epoch)
        if self.recipe.real_weights and stage.epoch == 0 and not stage.real_weights:
            self.optimizers().optimizer.state.clear()
        set_binary_weights(self.net, not stage.real_weights)
        self.net.set_progress(stage.progress)

    def on_fit_start(self) -> None:
        for teacher in filter(None, self._taught_by):
            teacher.to(self.device, memory_format=torch.channels_last)

    @torch.no_grad()
    def on_train_batch_end(self, *_) -> None:
        """A falling PReLU would need two thresholds a channel, and twice the work on a device."""
        if self.recipe.binary and self.recipe.monotone:
            for block in self.net.blocks[:-1]:
                block.prelu.weight.clamp_(min=0)

    def on_validation_epoch_start(self) -> None:
        set_binary_weights(self.net, True)  # what is judged is what would be shipped, in the first stage too
        super().on_validation_epoch_start()

    def judge(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        logits = self.net(x)
        smoothing = self.recipe.smoothing if self.net.training else 0.0
        loss = functional.cross_entropy(logits * self.recipe.logit_scale, y, label_smoothing=smoothing)
        if self.net.training and self.recipe.teaching:
            loss = torch.lerp(loss, self._lesson(x, logits), self.recipe.teaching)
        return loss, [logits]

    def _lesson(self, x: Tensor, logits: Tensor) -> Tensor:
        """T^2 KL(teacher || network), both softened by the temperature T."""
        (teacher,) = self._taught_by
        with torch.no_grad():
            wanted = functional.log_softmax(teacher(x) * teacher.config.logit_scale / self.recipe.temperature, dim=1)
        got = functional.log_softmax(logits * self.recipe.logit_scale / self.recipe.temperature, dim=1)
        return self.recipe.temperature**2 * functional.kl_div(got, wanted, reduction="batchmean", log_target=True)
