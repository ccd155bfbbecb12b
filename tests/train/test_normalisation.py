"""What a network is shown of a recording."""

import numpy as np
import pytest

from bnn.errors import ModelError
from bnn.models.ecg import EcgConfig
from bnn.train.batches import to_network


def test_standardising_by_the_past():
    rng = np.random.default_rng(0)
    past, now = rng.integers(-3000, 3000, (2, 3, 50)).astype(np.int16)
    config = EcgConfig(("a", "b"), samples=50, normalisation="past")
    assert config.raw_samples == 100
    z = to_network(config, np.concatenate([past, now], axis=1))[:, 0].numpy()
    want = (now - past.mean(axis=1, keepdims=True)) / past.std(axis=1, keepdims=True)
    np.testing.assert_allclose(z, want, atol=1e-3)
    same = to_network(config, np.concatenate([now, now], axis=1))
    np.testing.assert_array_equal(same, to_network(EcgConfig(("a", "b"), samples=50), now))
    with pytest.raises(
        ModelError, match=r"the network takes \(n, 100\); cut them to 100 samples, half of them the past"
    ):
        to_network(config, now)
