"""Rhythms of synthetic recordings: which beat comes when, and what the atria do meanwhile."""

from dataclasses import dataclass

import numpy as np

LEAD_IN = 1.5  # seconds of rhythm before the recording begins, so that no window opens on a silent heart


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A row of beats.

    rate      beats per minute, drawn once per episode from this range
    base      shape of the usual beat; None for a rhythm without beats
    spread    standard deviation of the interval between beats, relative to it
    ectopic   shape of the early beat, if the rhythm has one
    between   how many usual beats stand between two early ones: drawn from this range, both ends included
    coupling  interval before an early beat, relative to the usual one
    pause     interval after it; 2 - coupling keeps the beat of the sinus node
    wave      continuous activity: "fibrillation", "flutter", "ventricular flutter" or None
    dropped   second-degree block (Wenckebach): the P wave goes on, the beat follows later each time, then drops out
    """

    rate: tuple[float, float]
    base: str | None = "normal"
    spread: float = 0.03
    ectopic: str | None = None
    between: tuple[int, int] = (2, 5)
    coupling: float = 0.65
    pause: float = 1.35
    wave: str | None = None
    dropped: bool = False


RHYTHMS: dict[str, Rhythm] = {
    "NSR": Rhythm((58, 95)),
    "APB": Rhythm((60, 90), ectopic="narrow", coupling=0.60, pause=1.10),
    "AFL": Rhythm((70, 100), base="narrow", spread=0.01, wave="flutter"),
    "AFIB": Rhythm((70, 120), base="narrow", spread=0.22, wave="fibrillation"),
    "SVTA": Rhythm((150, 190), base="narrow", spread=0.01),
    "WPW": Rhythm((60, 90), base="preexcited"),
    "PVC": Rhythm((60, 90), ectopic="ventricular"),
    "Bigeminy": Rhythm((60, 85), ectopic="ventricular", between=(1, 1)),
    "Trigeminy": Rhythm((60, 85), ectopic="ventricular", between=(2, 2)),
    "VT": Rhythm((140, 180), base="ventricular", spread=0.02),
    "IVR": Rhythm((40, 60), base="escape", spread=0.02),
    "VFL": Rhythm((200, 300), base=None, wave="ventricular flutter"),
    "Fusion": Rhythm((60, 90), ectopic="fusion", coupling=0.95, pause=1.05),
    "LBBBB": Rhythm((60, 90), base="left-block"),
    "RBBBB": Rhythm((60, 90), base="right-block"),
    "SDHB": Rhythm((65, 85), base="narrow", spread=0.01, dropped=True),
    "PR": Rhythm((60, 75), base="paced", spread=0.003),
    "N": Rhythm((58, 95)),
    "S": Rhythm((60, 90), ectopic="narrow", coupling=0.60, pause=1.10),
    "V": Rhythm((60, 90), ectopic="ventricular"),
    "F": Rhythm((60, 90), ectopic="fusion", coupling=0.95, pause=1.05),
    "Q": Rhythm((60, 75), base="paced", spread=0.003),
}


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Beats of an episode: times (n,) seconds, kinds (n,) str, and the mean interval between beats in seconds."""

    times: np.ndarray
    kinds: np.ndarray
    rr: float


def draw_beats(rhythm: Rhythm, seconds: float, rng: np.random.Generator) -> Beats:
    """The beats of an episode that begins at 0, from LEAD_IN before it to its end."""
    rr = 60.0 / rng.uniform(*rhythm.rate)
    n = int((seconds + LEAD_IN) / (0.5 * rr)) + 2  # more than can fit, even if every second beat comes early
    if rhythm.base is None:
        return Beats(np.empty(0), np.empty(0, dtype=str), rr)
    times, kinds = _blocked(rr, n, rng) if rhythm.dropped else _coupled(rhythm, rr, n, rng)
    times = times - LEAD_IN - rng.uniform(0.0, rr)
    inside = times < seconds
    return Beats(times[inside], kinds[inside], rr)


def _coupled(rhythm: Rhythm, rr: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    early = np.zeros(n, dtype=bool)
    if rhythm.ectopic:
        gaps = rng.integers(rhythm.between[0], rhythm.between[1] + 1, n)
        where = np.cumsum(gaps + 1) - 1
        early[where[where < n]] = True
    interval = rr * np.maximum(rng.normal(1.0, rhythm.spread, n), 0.4)
    after_early = np.roll(early, 1)
    after_early[0] = False
    interval *= np.where(early, rhythm.coupling, np.where(after_early, rhythm.pause, 1.0))
    return np.cumsum(interval), np.where(early, rhythm.ectopic or rhythm.base, rhythm.base)


def _blocked(rr: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """P waves at an even pace; of every `cycle` of them the last has no beat, and the others' PR interval grows."""
    cycle = int(rng.integers(3, 6))
    p = rr * np.arange(n) * rng.normal(1.0, 0.005)
    step = np.arange(n) % cycle
    conducted = step < cycle - 1
    beats = p[conducted] + 0.17 + 0.06 * step[conducted]
    # The shape "atrial" peaks 0.17 s before its beat's time, so its time is put that much later.
    times = np.concatenate([p + 0.17, beats])
    kinds = np.concatenate([np.full(n, "atrial"), np.full(len(beats), "narrow")])
    order = np.argsort(times, kind="stable")
    return times[order], kinds[order]


def continuous_wave(kind: str, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What goes on between the beats, in millivolts at the times t (n,) in seconds."""
    if kind == "fibrillation":  # 4 to 9 Hz, never twice the same
        frequency, phase = rng.uniform(4.0, 9.0, 6), rng.uniform(0.0, 2 * np.pi, 6)
        return 0.03 * np.sin(2 * np.pi * np.outer(t, frequency) + phase).sum(axis=1)
    turns = t * rng.uniform(4.4, 5.4) + rng.uniform()
    if kind == "flutter":  # a saw-tooth of three harmonics
        return -0.14 * sum(np.sin(2 * np.pi * k * turns) / k for k in (1, 2, 3))
    return rng.uniform(0.8, 1.4) * np.sin(2 * np.pi * 0.8 * turns)  # ventricular flutter: one large sine
