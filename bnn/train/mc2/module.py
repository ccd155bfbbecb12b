"""The three phases of MC2SleepNet as Lightning trains them."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from bnn.models.mc2.net import Mc2Net
from bnn.train.mc2.batches import Sequences
from bnn.train.mc2.recipe import Mc2Recipe
from bnn.train.training import Training


class PhaseTraining(Training):
    """One phase: the parts in `learns` learn; the others are frozen, batch norms and dropout included."""

    learns: tuple[str, ...]
    judged = ()

    def __init__(self, net: Mc2Net, recipe: Mc2Recipe, epochs: int, seed: int, watched: tuple[str, ...] = ()):
        super().__init__(net, recipe, seed, watched)
        self.epochs = epochs
        self._freeze()

    def _freeze(self) -> None:
        for name, part in self.net.named_children():
            part.train(name in self.learns).requires_grad_(name in self.learns)

    def configure_optimizers(self):
        learning = [p for p in self.net.parameters() if p.requires_grad]
        adam = torch.optim.AdamW(learning, self.recipe.lr, weight_decay=self.recipe.weight_decay)
        falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: 0.5 * (1 + math.cos(math.pi * k / self.epochs)))
        return {"optimizer": adam, "lr_scheduler": falling}

    def on_train_epoch_start(self) -> None:
        self._freeze()
        super().on_train_epoch_start()


class AlignTraining(PhaseTraining):
    """Epoch level: the two views of an epoch find each other among those of the batch. Takes no label."""

    learns = ("signal", "spectrogram")

    def judge(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        signal, spectrogram = self.net.embed(x).unbind(dim=1)
        return info_nce(signal, spectrogram, self.recipe.temperature), []


class MaskTraining(PhaseTraining):
    """Sequence level: masked epochs of one view are rebuilt with the other view's help. Takes no label.

    The loss is the mean absolute difference to the masked epochs' embeddings, averaged over the views. The backbones
    are frozen: they would else learn to give embeddings that are easy to rebuild, all alike.
    """

    learns = ("encoders", "masking")

    def judge(self, x: Sequences, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        difference = (self.net.rebuild(*x) - x.views).abs().mean(dim=-1)
        share = x.masked / x.masked.sum(dim=(0, 1))
        return (difference * share).sum(dim=(0, 1)).mean(), []


class TuneTraining(PhaseTraining):
    """By the labels: the mean cross-entropy of the five classifiers. Judged is the fused one."""

    learns = ("encoders", "classifiers")
    judged = ("fused",)

    def judge(self, x: Sequences, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        logits = self.net(x.views, x.offset, x.present)[:, x.present]
        loss = torch.stack([functional.cross_entropy(z, y) for z in logits]).mean()
        return loss, [logits[-1]]


def info_nce(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """(B, width) each -> the mean over rows and both directions of -log softmax_j(cos(one_i, other_j) / temperature)_i
    (van den Oord et al. 2018, arXiv 1807.03748; both ways as in CLIP, arXiv 2103.00020)."""
    one, other = functional.normalize(one.float(), dim=1), functional.normalize(other.float(), dim=1)
    with torch.autocast(one.device.type, enabled=False):  # divided by a temperature, bfloat16's steps would show
        similar = one @ other.T / temperature
    partner = torch.arange(len(one), device=one.device)
    return (functional.cross_entropy(similar, partner) + functional.cross_entropy(similar.T, partner)) / 2
