"""The ECG network as Lightning trains it."""

import math
from dataclasses import dataclass

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import functional

from bnn.errors import ModelError
from bnn.models.ecg import EcgNet
from bnn.models.quant import set_binary_weights
from bnn.train.batches import epoch_seed
from bnn.train.recipes import Recipe


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


class EcgTraining(pl.LightningModule):
    """Cross-entropy on scaled logits, Adam, and an estimator that anneals from epoch to epoch.

    Figures are summed up on the device and logged once per epoch: lr, train_loss, train_accuracy and the like of each
    of `watched`, the parts whose loaders the trainer validates on ("val", "test"). val_score, by which a network is
    chosen, is the accuracy; the lower loss decides between equals, and an epoch that `recipe.settled` excludes ranks
    below all others.

    A teacher's answers take the share `recipe.teaching` of the loss (Hinton et al., arXiv 1503.02531).
    """

    def __init__(
        self, net: EcgNet, recipe: Recipe, seed: int, watched: tuple[str, ...] = (), teacher: EcgNet | None = None
    ):
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)  # a step takes about 0.6 of the time
        self.recipe = recipe
        self._taught_by = (teacher,)  # in a tuple it is none of the modules that are trained and saved
        self.seed = seed
        self.watched = watched

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
        epoch, stage = self.current_epoch, self._stage(self.current_epoch)
        torch.manual_seed(epoch_seed(self.seed, epoch) + 1)  # dropout: as in a run that was never interrupted
        if self.recipe.real_weights and stage.epoch == 0 and not stage.real_weights:
            self.optimizers().optimizer.state.clear()
        set_binary_weights(self.net, not stage.real_weights)
        self.net.set_progress(stage.progress)
        self.log("lr", self.optimizers().param_groups[0]["lr"])
        self._train_sums = self._no_sums()

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        return self._loss(batch, self._train_sums)

    def on_fit_start(self) -> None:
        for teacher in filter(None, self._taught_by):
            teacher.to(self.device, memory_format=torch.channels_last)

    @torch.no_grad()
    def on_train_batch_end(self, *_) -> None:
        """A falling PReLU would need two thresholds a channel, and twice the work on a device."""
        if self.recipe.binary and self.recipe.monotone:
            for block in self.net.blocks[:-1]:
                block.prelu.weight.clamp_(min=0)

    def on_train_epoch_end(self) -> None:
        self._log("train", self._train_sums)

    def on_validation_epoch_start(self) -> None:
        set_binary_weights(self.net, True)  # what is judged is what would be shipped, in the first stage too
        self._watched_sums = [self._no_sums() for _ in self.watched]

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int, dataloader_idx: int = 0) -> None:
        self._loss(batch, self._watched_sums[dataloader_idx])

    def on_validation_epoch_end(self) -> None:
        for part, sums in zip(self.watched, self._watched_sums, strict=True):
            loss, accuracy = self._log(part, sums)
            if part == "val":
                settled = self.current_epoch >= int(self.recipe.settled * self.recipe.epochs)
                self.log("val_score", accuracy - 1e-4 * min(loss, 1.0) - (not settled))

    def _loss(self, batch: tuple[Tensor, Tensor], sums: Tensor) -> Tensor:
        x, y = batch
        logits = self.net(x)
        smoothing = self.recipe.smoothing if self.net.training else 0.0
        loss = functional.cross_entropy(logits * self.recipe.logit_scale, y, label_smoothing=smoothing)
        if self.net.training and self.recipe.teaching:
            loss = torch.lerp(loss, self._lesson(x, logits), self.recipe.teaching)
        hits = (logits.detach().argmax(dim=1) == y).sum()
        sums += torch.stack([loss.detach() * len(y), hits, hits.new_tensor(len(y))])
        return loss

    def _lesson(self, x: Tensor, logits: Tensor) -> Tensor:
        """T^2 KL(teacher || network), both softened by the temperature T."""
        (teacher,) = self._taught_by
        with torch.no_grad():
            wanted = functional.log_softmax(teacher(x) * teacher.config.logit_scale / self.recipe.temperature, dim=1)
        got = functional.log_softmax(logits * self.recipe.logit_scale / self.recipe.temperature, dim=1)
        return self.recipe.temperature**2 * functional.kl_div(got, wanted, reduction="batchmean", log_target=True)

    def _no_sums(self) -> Tensor:
        return torch.zeros(3, device=self.device)

    def _log(self, part: str, sums: Tensor) -> tuple[float, float]:
        """Log and return the mean loss and the accuracy of a part."""
        loss, hits, count = sums.tolist()
        if not math.isfinite(loss):
            raise ModelError(
                f"the {part} loss of epoch {self.current_epoch + 1} is {loss / count}: training has run away; "
                f"start over with a learning rate below {self.recipe.lr:g}"
            )
        self.log_dict({f"{part}_loss": loss / count, f"{part}_accuracy": hits / count})
        return loss / count, hits / count
