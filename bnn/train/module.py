"""The ECG network as Lightning trains it."""

import math

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import functional

from bnn.errors import ModelError
from bnn.models.ecg import EcgNet
from bnn.train.batches import epoch_seed
from bnn.train.recipes import Recipe


class EcgTraining(pl.LightningModule):
    """Cross-entropy on scaled logits, Adam, and an estimator that anneals from epoch to epoch.

    Figures are summed up on the device and logged once per epoch: lr, train_loss, train_accuracy and the like of each
    of `watched`, the parts whose loaders the trainer validates on ("val", "test"). val_score, by which a network is
    chosen, is the accuracy; the lower loss decides between equals.
    """

    def __init__(self, net: EcgNet, recipe: Recipe, seed: int, watched: tuple[str, ...] = ()):
        super().__init__()
        self.net = net
        self.recipe = recipe
        self.seed = seed
        self.watched = watched

    def configure_optimizers(self):
        adam = torch.optim.Adam(self.net.parameters(), self.recipe.lr, weight_decay=self.recipe.weight_decay)
        if self.recipe.schedule == "constant":
            return adam
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, self.recipe.epochs)
        return {"optimizer": adam, "lr_scheduler": cosine}

    def on_train_epoch_start(self) -> None:
        epoch = self.current_epoch
        torch.manual_seed(epoch_seed(self.seed, epoch) + 1)  # dropout: as in a run that was never interrupted
        self.net.set_progress(epoch / max(self.recipe.epochs - 1, 1))
        self.log("lr", self.optimizers().param_groups[0]["lr"])
        self._train_sums = self._no_sums()

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        return self._loss(batch, self._train_sums)

    @torch.no_grad()
    def on_train_batch_end(self, *_) -> None:
        """A falling PReLU would need two thresholds a channel, and twice the work on a device."""
        if self.recipe.binary and self.recipe.monotone:
            for block in self.net.blocks[:-1]:
                block.prelu.weight.clamp_(min=0)

    def on_train_epoch_end(self) -> None:
        self._log("train", self._train_sums)

    def on_validation_epoch_start(self) -> None:
        self._watched_sums = [self._no_sums() for _ in self.watched]

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int, dataloader_idx: int = 0) -> None:
        self._loss(batch, self._watched_sums[dataloader_idx])

    def on_validation_epoch_end(self) -> None:
        for part, sums in zip(self.watched, self._watched_sums, strict=True):
            loss, accuracy = self._log(part, sums)
            if part == "val":
                self.log("val_score", accuracy - 1e-4 * min(loss, 1.0))

    def _loss(self, batch: tuple[Tensor, Tensor], sums: Tensor) -> Tensor:
        x, y = batch
        logits = self.net(x)
        loss = functional.cross_entropy(logits * self.recipe.logit_scale, y)
        hits = (logits.detach().argmax(dim=1) == y).sum()
        sums += torch.stack([loss.detach() * len(y), hits, hits.new_tensor(len(y))])
        return loss

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
