"""A synthetic hypnogram: a Markov chain over the stages whose rates change over the night.

After Kemp and Kamphuisen 1986, "Simulation of human hypnograms using a Markov chain model", Sleep 9(3): constant rates
do not make a night; deep sleep must become rarer and REM sleep come in cycles, so N2 -> N3 falls over the night and
N2 -> REM is high late in each cycle of some 90 minutes. The numbers are ours, chosen so that a night has about the
shares of an adult's: some 5 to 10 % N1, 50 % N2, 15 to 20 % N3 and 20 to 25 % REM of sleep (Ohayon et al. 2004,
Sleep 27(7)).
"""

import numpy as np

from bnn.data.sleep.epochs import STAGES
from bnn.data.sleep.stages import N2, N3, REM, W

CYCLE = 180  # epochs: 90 minutes
NIGHT = 960  # epochs: 8 hours

# Per epoch of 30 s, from a row's stage to a column's. Bouts last 1 / (1 - diagonal): W 8, N1 4, N2 20, N3 33, REM 33.
BASE = np.array(
    [  # W     N1     N2     N3     REM
        [0.870, 0.100, 0.027, 0.000, 0.003],
        [0.050, 0.750, 0.180, 0.000, 0.020],
        [0.012, 0.018, 0.950, 0.015, 0.005],
        [0.004, 0.004, 0.022, 0.970, 0.000],
        [0.009, 0.012, 0.009, 0.000, 0.970],
    ]
)


def transitions(epoch: np.ndarray, depth: float = 1.0, restless: float = 1.0) -> np.ndarray:
    """(n, 5, 5): the chance to go from a row's stage to a column's after the epochs numbered `epoch` (n,).

    depth     factor on the way into N3, of the subject: deep sleep fades with age
    restless  factor on the way into W, of the subject
    """
    phase = epoch % CYCLE / CYCLE
    late = np.clip((phase - 0.6) / 0.2, 0, 1)  # 0 in the first part of a cycle, 1 in the last fifth
    p = np.repeat(BASE[None], len(epoch), axis=0)
    p[:, N2, N3] *= depth * 3.0 * np.exp(-epoch / 300) * (1 - late)
    p[:, N3, N2] *= 1 + 3 * late
    p[:, N2, REM] *= 12 * late
    p[:, REM, N2] *= 1 + 4 * (1 - late)
    p[:, 1:, W] *= restless
    stay = np.arange(len(STAGES))
    p[:, stay, stay] = 0
    p[:, stay, stay] = 1 - p.sum(axis=2)
    return p


def draw_hypnogram(rng: np.random.Generator, depth: float = 1.0, restless: float = 1.0) -> np.ndarray:
    """(NIGHT,) int64 stages of one night, beginning awake."""
    edges = np.cumsum(transitions(np.arange(NIGHT), depth, restless), axis=2)
    chance = rng.random(NIGHT)
    stage = np.empty(NIGHT, dtype=np.int64)
    stage[0] = W
    for i in range(1, NIGHT):
        stage[i] = min(np.searchsorted(edges[i - 1, stage[i - 1]], chance[i], side="right"), len(STAGES) - 1)
    return stage
