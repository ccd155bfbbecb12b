"""When each step of each tensor is done: the latency of a window through the pipeline of kernels.

A kernel takes the steps of its input one after the other. Step i is done when the one before it is done and `cost[i]`
cycles have passed, and no earlier than `tail[i]` cycles after it has come in:

    done[i] = max(done[i - 1] + cost[i], ready[i] + tail[i])

Streams are taken to hold what waits in them, so a kernel never stops the one before it. That is right but for the
fill of a few words, since the slowest kernel sets the pace either way.
"""

from dataclasses import dataclass

import numpy as np

from bnn.graph.integer_ops import Concat, Scale, SignConv
from bnn.graph.node import Node
from bnn.graph.ops import AndNot, BinaryConv, ExitGate, OrPool, PReluSum, SignalConv, Threshold, WindowStats
from codegen.folding import Folding, turns
from codegen.hls.cost import STATS_TAIL, cycles, gate_cycles
from codegen.hls.network import Network, lanes

HOP = 4
"""Cycles from a word into a kernel to what it causes out: its pipeline registers and the stream behind it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """In cycles.

    latency   from the first sample in to the last result out, the pipeline being empty
    interval  between windows that follow each other: what the slowest kernel takes
    slowest   its node
    """

    latency: int
    interval: int
    slowest: str


def timing(network: Network, foldings: dict[str, Folding], hop: int = HOP) -> Timing:
    """Latency and interval of a network with these foldings; nothing else decides them."""
    busy = {node.name: cycles(network, node, foldings) for node in network.nodes}
    for node in network.nodes:
        if isinstance(node, SignalConv):  # its samples leave the stream only when the statistics are done
            busy[node.name] += STATS_TAIL
    slowest = max(busy, key=busy.__getitem__)
    last = int(finished(network, foldings, hop)[network.nodes[-1].name][-1])
    return Timing(last + 2 * hop + 1, busy[slowest], slowest)


def finished(network: Network, foldings: dict[str, Folding], hop: int = HOP) -> dict[str, np.ndarray]:
    """For each tensor the cycle at which each of its steps has left its kernel; a vector has one step."""
    pe = lanes(network, foldings)
    samples = network.signal.length * network.signal.channels
    done = {network.signal.name: 1 + np.arange(samples)[network.signal.channels - 1 :: network.signal.channels]}
    for node in network.nodes:
        done[node.name] = hop + _finished(network, node, [done[name] for name in node.inputs], foldings, pe)
    return done


def _finished(network: Network, node: Node, ready: list[np.ndarray], foldings: dict, pe: dict[str, int]) -> np.ndarray:
    x = ready[0]
    words = network.channels(node.inputs[0]) // pe.get(node.inputs[0], network.channels(node.inputs[0]))
    match node:
        case WindowStats():
            return x[-1:] + STATS_TAIL
        case SignalConv() | SignConv() | BinaryConv():
            begin = ready[1][-1] if isinstance(node, SignalConv) else 0
            x = np.concatenate([np.zeros(node.pad, np.int64), x, np.zeros(node.pad, np.int64)])
            takes = turns(network.works[node.name], foldings[node.name])
            return _windows(x, node.w.shape[-1], node.stride, (1, takes), takes, begin)
        case Threshold():
            begin = ready[1][-1] + network.channels(node.inputs[0]) if len(ready) > 1 else 0
            return _in_turn(x, np.full(len(x), words), np.ones(len(x), np.int64), begin)
        case Scale():
            return _in_turn(x, np.full(len(x), words), np.ones(len(x), np.int64), 0)
        case Concat():
            ready = np.concatenate(ready)
            return _in_turn(ready, *np.ones((2, len(ready)), np.int64), 0)
        case AndNot():
            return _in_turn(np.maximum(*ready), *np.ones((2, len(x)), np.int64), 0)
        case PReluSum():
            return x[-1:] + network.channels(node.inputs[0])
        case ExitGate():
            return x[-1:] + gate_cycles(network.channels(node.inputs[0]))
        case OrPool():
            return _windows(x, node.kernel, node.stride, (1, 1), 1)
    return _windows(x, node.kernel, node.stride, (words, words), 1)


def _windows(
    ready: np.ndarray, kernel: int, stride: int, cost: tuple[int, int], tail: int, begin: int = 0
) -> np.ndarray:
    """When the windows of a convolution or pool are done; `cost` of a step without a whole one, and with one."""
    whole = np.zeros(len(ready), bool)
    whole[kernel - 1 :: stride] = True
    return _in_turn(ready, np.where(whole, cost[1], cost[0]), np.where(whole, tail, 1), begin)[whole]


def _in_turn(ready: np.ndarray, cost: np.ndarray, tail: np.ndarray, begin: int) -> np.ndarray:
    """done[i] = max(done[i - 1] + cost[i], ready[i] + tail[i]), with done[-1] = begin, by a running maximum."""
    total = np.cumsum(cost)
    return total + np.maximum.accumulate(np.maximum(ready + tail - total, begin))
