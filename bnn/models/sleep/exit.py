"""The classifier behind one signal."""

from torch import Tensor, nn

from bnn.models.sleep.attention import MapAttention
from bnn.models.sleep.config import D_MODEL, SleepConfig

HIDDEN = 32


class Exit(nn.Module):
    """The maps so far (B, maps, features, steps) -> logits (B, classes).

    From two maps on, these are weighed first, and what the transformer says multiplies its input.
    """

    def __init__(self, config: SleepConfig, maps: int):
        super().__init__()
        last = maps == len(config.channels)
        self.gated = maps > 1
        self.attention = MapAttention(maps) if self.gated and config.se else nn.Identity()
        heads = config.heads if last else config.student_heads
        self.encoder = nn.TransformerEncoderLayer(D_MODEL, heads, config.feed_forward, batch_first=True)
        tokens = maps * config.tokens
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(tokens * D_MODEL, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(config.classes))
        )

    def forward(self, maps: Tensor) -> Tensor:
        tokens = self.attention(maps).reshape(len(maps), -1, D_MODEL)
        encoded = self.encoder(tokens)
        return self.head(encoded * tokens if self.gated else encoded)
