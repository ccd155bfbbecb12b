"""The plan of the streaming form: rows through line buffers instead of maps in an arena. It knows no language.

A layer makes one row, a time step of its map, as soon as the rows that it reads are there; it keeps of its own rows
only what its readers look back on: see codegen.play.
"""

from dataclasses import dataclass, replace

from bnn.errors import GraphError
from bnn.graph import Graph, Signal, check, only_signal, refuse_gate
from bnn.graph.check import is_past
from bnn.graph.node import Node
from bnn.graph.ops import BinaryConv, MaxPool, OrPool, PReluSum, SignalConv, Slice, WindowStats
from bnn.graph.types import BITS, TensorType
from codegen.choose import Options
from codegen.layout import lay_out, words_of
from codegen.plan import outline
from codegen.play import Line, Read, play
from codegen.steps import LIMIT, Step

HEAD = 8
"""Words at the beginning of the state, bnn_stream_head in the runtime; a count for each layer follows."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamPlan:
    """A graph of one stage and one signal, ready to be written down.

    signal                   one window of it, without its past
    past                     whether mean and std are those of the window before, so that no sample has to wait
    stats                    the node that gives mean and std
    row_at, view_at, other_at  words of the state: the row being made, and rows read that do not begin at a word
    words                    of the state
    """

    graph: Graph
    signal: Signal
    past: bool
    stats: WindowStats
    lines: tuple[Line, ...]
    row_at: int
    view_at: int
    other_at: int
    words: int

    @property
    def logits(self) -> Line:
        return self.lines[-1]

    @property
    def state_bytes(self) -> int:
        return 4 * self.words

    def __str__(self) -> str:
        kept = max(line.rows * line.bits for line in self.lines)
        beside = "and no samples" if self.past else f"beside {self.kept_bytes} B of samples"
        return (
            f"rows through {len(self.lines)} line buffers, of {-(-kept // 8)} B at most; "
            f"{self.state_bytes} B of RAM {beside}"
        )

    @property
    def kept_bytes(self) -> int:
        """Of samples that wait for the window's statistics."""
        return 0 if self.past else 2 * self.signal.length


def choose_stream(graph: Graph, options: Options) -> StreamPlan:
    """The one plan there is; GraphError where the options ask for what a stream does not offer, or for less memory."""
    if options.kernels != "auto" or options.max_flash is not None:
        raise GraphError(f"{options}: a stream has kernels of its own and no choice among them; leave the others out")
    plan = stream_plan(graph)
    if options.max_ram is not None and plan.state_bytes > options.max_ram:
        raise GraphError(
            f"graph {graph.name}: its stream takes {plan.state_bytes} B beside the samples, more than "
            f"--max-ram {options.max_ram}; there is no smaller form, raise the limit"
        )
    return plan


def stream_plan(graph: Graph) -> StreamPlan:
    """Plan a graph of the target dialect; GraphError where it has no streaming form."""
    window, past = without_past(graph)
    made = outline(window)
    stats = _only_stats(made.nodes)
    by_name = {node.name: node for node in made.nodes}
    if not isinstance(by_name[made.logits], PReluSum):
        by_name[made.logits].fail("ends the graph, but a stream ends in a PReluSum; generate without --stream")
    steps = [step for step in made.steps if step.nodes[0] is not stats]
    lines = _lines(made.signal, steps, made.types)
    depths, views = play(lines)
    lines = [replace(line, rows=depth) for line, depth in zip(lines, depths, strict=True)]
    return _place(graph, made.signal, past, stats, lines, views)


def without_past(graph: Graph) -> tuple[Graph, bool]:
    """The graph of one window, and whether its statistics are those of the window before.

    A graph whose signal is past and window, parted by two Slices, becomes one whose signal is the window, and of which
    all but WindowStats is true; another graph stays as it is. GraphError for Slices that part the signal otherwise.
    """
    check(graph, "target")
    only_signal(graph, "streaming C")
    refuse_gate(graph, "a stream")
    slices = [node for node in graph.nodes() if isinstance(node, Slice)]
    if not slices:
        return graph, False
    whole, before, now = graph.signals[0], slices[0], slices[-1]
    parted = len(slices) == 2 and is_past(before, now) and before.first == 0 and 2 * now.length == whole.length
    readers = [(node, WindowStats) for node in graph.consumers(before.name)]
    readers += [(node, SignalConv) for node in graph.consumers(now.name)]
    if not parted or len(graph.signals) > 1 or not all(isinstance(node, kind) for node, kind in readers):
        before.fail(
            "a stream takes two Slices, the first half of the signal for WindowStats and the second for SignalConv; "
            "this graph has others, so only the simulator runs it"
        )

    def rewrite(nodes):
        names = {before.name: whole.name, now.name: whole.name}
        rest = (node for node in nodes if node not in slices)
        return [replace(node, inputs=tuple(names.get(name, name) for name in node.inputs)) for node in rest]

    window = replace(whole, length=now.length)
    return replace(graph.with_nodes(rewrite), signals=(window,)), True


def _only_stats(nodes: list[Node]) -> WindowStats:
    found = [node for node in nodes if isinstance(node, WindowStats)]
    if len(found) != 1:
        names = ", ".join(node.name for node in found) or "none"
        raise GraphError(
            f"the graph has {len(found)} WindowStats ({names}), but a stream has one mean and std a window; "
            "generate without --stream"
        )
    return found[0]


def _lines(signal: Signal, steps: list[Step], types: dict[str, TensorType]) -> list[Line]:
    """The layers, with what each reads, before it is known how many rows they keep."""
    readers = [step.nodes[0] for step in steps]
    pad = max(node.pad for node in readers if isinstance(node, SignalConv))
    samples = TensorType("int32", (1, signal.length), 0, 0)
    lines = [Line(signal.name, None, samples, signal.length, (), pad, None, 32)]
    numbers = {signal.name: 0}
    for step in steps:
        node, kind = step.nodes[0], types[step.output]
        sources = [name for name in step.inputs if name in numbers]
        reads = tuple(_read(node, numbers[name], lines[numbers[name]].margin) for name in sources)
        numbers[step.output] = len(lines)
        lines.append(_line(step, kind, reads, lines, [n for n in readers if step.output in n.inputs]))
    return [replace(line, skip=_skip(lines, i)) for i, line in enumerate(lines)]


def _read(node: Node, source: int, margin: int) -> Read:
    match node:
        case SignalConv() | BinaryConv():
            return Read(source, margin - node.pad, node.stride, node.w.shape[-1])
        case OrPool() | MaxPool():
            return Read(source, margin, node.stride, node.kernel)
    return Read(source, margin, 1, 1)


def _line(step: Step, kind: TensorType, reads: tuple[Read, ...], lines: list[Line], readers: list[Node]) -> Line:
    node, last = step.nodes[0], step.nodes[-1]
    if isinstance(node, PReluSum):
        return Line(step.output, step, kind, lines[reads[0].source].length, reads, work_words=kind.size)
    tensor = lay_out(step.output, kind, readers)
    bits = tensor.channels * BITS[kind.kind]
    if bits > LIMIT:
        last.fail(f"a row of {kind} takes {bits} bits, but a stream holds at most {LIMIT}; generate without --stream")
    bounds = {"signal_conv_threshold": 2, "threshold32": 1}.get(step.kernel, 0)
    work = bounds * tensor.channels
    return Line(step.output, step, kind, tensor.length, reads, tensor.margin, tensor.pad, bits, work_words=work)


def _skip(lines: list[Line], i: int) -> int:
    """How many of the layers that follow read nothing but this one and each other: they wait as long as it does."""
    behind = {i}
    for j in range(i + 1, len(lines)):
        if not {read.source for read in lines[j].reads} <= behind:
            break
        behind.add(j)
    return len(behind) - 1


def _place(
    graph: Graph, signal: Signal, past: bool, stats: WindowStats, lines: list[Line], views: tuple[int, int]
) -> StreamPlan:
    """One after the other: all of it lives as long as the stream."""
    at, placed = HEAD + len(lines), []
    for line in lines:
        work = at + words_of(line.rows * line.bits)
        placed.append(replace(line, at=at, work=work))
        at = work + line.work_words
    view_at = at + max(line.row_words for line in lines)
    other_at = view_at + views[0]
    words = other_at + views[1]
    if words > LIMIT:
        raise GraphError(
            f"graph {graph.name}: its line buffers take {words} words, but a stream holds at most {LIMIT}; "
            "generate without --stream"
        )
    return StreamPlan(graph, signal, past, stats, tuple(placed), at, view_at, other_at, words)
