"""Two views of a sequence, encoded side by side."""

import torch
from torch import Tensor, nn

from bnn.models.mc2.config import VIEWS, Mc2Config


class Layer(nn.Module):
    """x, other (B, L, width) -> (B, L, width): self-attention, cross-attention to `other`, feed-forward, post-norm.

    absent  (B, L) bool: epochs that no other may attend to, in both views
    other   None leaves out the cross-attention: the view alone, by the same weights
    """

    def __init__(self, config: Mc2Config, heads: int):
        super().__init__()
        width, dropout = config.width, config.dropout
        attention = dict(dropout=dropout, batch_first=True)
        self.own = nn.MultiheadAttention(width, heads, **attention)
        self.cross = nn.MultiheadAttention(width, heads, **attention)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, config.feed_forward),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(config.feed_forward, width),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, other: Tensor | None, absent: Tensor) -> Tensor:
        x = self._join(0, x, _attend(self.own, x, x, absent))
        if other is not None:
            x = self._join(1, x, _attend(self.cross, x, other, absent))
        return self._join(2, x, self.feed_forward(x))

    def _join(self, step: int, x: Tensor, change: Tensor) -> Tensor:
        return self.norms[step](x + self.dropout(change))


class Encoders(nn.Module):
    """Both views (B, L, 2, width), positions added -> the same shape: one row of layers for each view.

    Layer k of a view attends to the other view as layer k - 1 left it, or to no other where `cross` is False.
    """

    def __init__(self, config: Mc2Config):
        super().__init__()
        self.views = nn.ModuleList(
            nn.ModuleList(Layer(config, config.heads) for _ in range(config.layers)) for _ in VIEWS
        )

    def forward(self, x: Tensor, absent: Tensor, cross: bool) -> Tensor:
        one, two = x.unbind(dim=2)
        for first, second in zip(*self.views, strict=True):
            one, two = (
                first(one, two if cross else None, absent),
                second(two, one if cross else None, absent),
            )
        return torch.stack([one, two], dim=2)


class Masking(nn.Module):
    """What stands for masked epochs, and what rebuilds them from the encoded views: used in pre-training alone.

    A layer of its own for each view, which attends to the other view as well, and a linear map back to an embedding.
    """

    def __init__(self, config: Mc2Config):
        super().__init__()
        self.token = nn.Parameter(torch.randn(len(VIEWS), config.width) * 0.02)
        self.layers = nn.ModuleList(Layer(config, config.mask_heads) for _ in VIEWS)
        self.rebuild = nn.ModuleList(nn.Linear(config.width, config.width) for _ in VIEWS)

    def hide(self, views: Tensor, view: int, masked: Tensor) -> Tensor:
        """(B, L, 2, width) with the epochs `masked` (B, L) of one view replaced by its token."""
        hidden = torch.where(masked[..., None], self.token[view].to(views.dtype), views[:, :, view])
        return torch.stack([hidden if k == view else views[:, :, k] for k in range(len(VIEWS))], dim=2)

    def forward(self, encoded: Tensor, view: int, absent: Tensor) -> Tensor:
        """Encoded views (B, L, 2, width) -> embeddings (B, L, width) of one view."""
        return self.rebuild[view](self.layers[view](encoded[:, :, view], encoded[:, :, 1 - view], absent))


def _attend(attention: nn.MultiheadAttention, x: Tensor, to: Tensor, absent: Tensor) -> Tensor:
    return attention(x, to, to, key_padding_mask=absent, need_weights=False)[0]
