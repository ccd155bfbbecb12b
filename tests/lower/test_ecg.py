"""The trained ECG network against its graph: the same bits, but for float rounding, whatever training ended in."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bnn.data.synthetic import synthetic_set  # noqa: E402
from bnn.errors import ModelError  # noqa: E402
from bnn.graph import check, load, ops, save, to_text  # noqa: E402
from bnn.graph.arith import sign_bit, window_stats  # noqa: E402
from bnn.lower.ecg import lower_ecg  # noqa: E402
from bnn.lower.passes import to_target  # noqa: E402
from bnn.models.ecg import EcgConfig, EcgNet, blank  # noqa: E402
from bnn.sim import simulate  # noqa: E402
from bnn.train.batches import to_network  # noqa: E402
from tests.graphs import windows  # noqa: E402

CLASSES = ("N", "S", "V", "F", "Q")
X = synthetic_set("ecg5", 6, seed=3).x


def trained(signed: bool, seed: int = 0, **config) -> EcgNet:
    """A network with the statistics of its own activations, as after training; `signed` adds what training may end in:
    negative PReLU slopes, and batch norms of negative and zero scale."""
    net = blank(EcgConfig(CLASSES, **config), seed)
    rng = torch.Generator().manual_seed(seed)
    net.train()
    with torch.no_grad():
        for block in net.blocks:
            block.norm.momentum = None  # plain average
            block.norm.weight.copy_(torch.rand(block.norm.num_features, generator=rng) + 0.5)
            block.norm.bias.copy_(torch.randn(block.norm.num_features, generator=rng) * 0.4)
        if signed:
            for block, slope in zip(net.blocks, (-0.4, -1.5, 0.25, 0.0, 1.3, -0.7), strict=False):
                block.prelu.weight.fill_(slope)
                block.norm.weight[::3] *= -1
                block.norm.weight[1::4] = 0
        net(to_network(net.config, raw(net, 16)))
    return net.eval()


def raw(net: EcgNet, n: int) -> np.ndarray:
    if net.config.samples == 3600:
        return X[:n] if net.config.raw_samples == 3600 else np.concatenate([X[:n], X[1 : n + 1]], axis=1)
    return windows(np.random.default_rng(5), n, net.config.samples)


@torch.no_grad()
def maps_of(net: EcgNet, x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Bits that leave each block but the last, and the logits, by torch."""
    y, bits = to_network(net.config, x)[:, :, None], []
    for block in net.blocks:
        y = block(y)
        bits.append(sign_bit(y[:, :, 0].numpy()))
    return bits[:-1], y.sum(dim=(2, 3)).numpy()


@pytest.mark.parametrize("readout", ["sum", "max"])
@pytest.mark.parametrize("signed", [False, True])
def test_the_graph_says_the_bits_of_torch(signed, readout):
    net = trained(signed, readout=readout)
    bits, logits = maps_of(net, X)
    graph = lower_ecg(net, "ecg5")
    result = simulate(graph, {"ecg": X}, keep="all")
    for index, want in enumerate(bits, start=1):
        got = result.tensors[f"block{index}"]
        assert 0.02 < got.mean() < 0.98, "a map of one value shows nothing"
        assert np.mean(got == want) > 0.999, f"block{index}"
    frac = next(node.frac for node in graph.nodes() if node.name == "logits")
    same = result.classes == logits.argmax(axis=1)
    assert same.mean() > 0.96
    assert np.median(np.abs(result.logits / 2.0**frac - logits)) < 0.01 * logits.std()


def test_a_network_that_normalises_by_the_past():
    net = trained(False, normalisation="past")
    x = np.concatenate([X[:-1], X[1:]], axis=1)
    bits, _ = maps_of(net, x)
    graph = to_target(lower_ecg(net, "ecg5"))
    assert [type(node) for node in graph.nodes()][:3] == [ops.Slice, ops.Slice, ops.WindowStats]
    result = simulate(graph, {"ecg": x}, keep="all")
    for index, want in enumerate(bits, start=1):
        assert np.mean(result.tensors[f"block{index}"] == want) > 0.999, f"block{index}"
    np.testing.assert_array_equal(result.tensors["block1.stats"], window_stats(X[:-1]))


@pytest.mark.parametrize("signed", [False, True])
def test_both_dialects_give_the_same_logits(signed):
    logical = lower_ecg(trained(signed), "ecg5")
    target = to_target(logical)
    kinds = {type(node) for node in target.nodes()}
    assert (ops.AndNot in kinds) == signed, "negative slopes need two-sided intervals"
    x = np.concatenate([X[:8], windows(np.random.default_rng(0), 4, 3600)])
    a, b = (simulate(graph, {"ecg": x}, keep="all") for graph in (logical, target))
    np.testing.assert_array_equal(a.logits, b.logits)
    for name in a.tensors.keys() & b.tensors.keys():
        np.testing.assert_array_equal(a.tensors[name], b.tensors[name], err_msg=name)


@pytest.mark.parametrize("seed", range(6))
def test_binary_blocks_agree_on_every_bit(seed):
    """From block 2 on torch adds whole numbers too, so equal bits in mean equal bits out: no rate here."""
    net = trained(True, seed, samples=700, channels=(5, 9, 4), strides=(2, 1, 2, 1))
    x = raw(net, 8)
    graph = lower_ecg(net, "tiny")
    tensors = simulate(graph, {"ecg": x}, keep="all").tensors
    for index in (2, 3):
        with torch.no_grad():
            signs = torch.from_numpy(2.0 * tensors[f"block{index - 1}"] - 1).float()
            want = sign_bit(net.blocks[index - 1](signs[:, :, None])[:, :, 0].numpy())
        np.testing.assert_array_equal(tensors[f"block{index}"], want)


def test_the_topology_is_the_papers():
    graph = to_target(lower_ecg(trained(False), "ecg5", {"data": "synthetic"}))
    types = check(graph, "target")
    assert [types[f"block{i}.acc"].shape for i in range(1, 7)] == [
        *((8, 1802), (16, 902), (32, 452), (32, 227), (64, 115), (5, 59)),
    ]
    assert [types[f"block{i}"].shape[1] for i in range(1, 7)] == [898, 448, 223, 111, 55, 27]
    macs = sum(node.macs(*(types[i] for i in node.inputs)) for node in graph.nodes())
    weights = sum(node.w.size for node in graph.nodes() if hasattr(node, "w"))
    assert (macs, weights) == (5_937_008, 28_280)
    assert graph.classes == CLASSES and graph.about == {"data": "synthetic"}


def test_a_lowered_network_survives_its_file(tmp_path):
    graph = to_target(lower_ecg(trained(True), "ecg5"))
    save(graph, tmp_path / "ecg5.graph")
    loaded = load(tmp_path / "ecg5.graph")
    assert to_text(loaded) == to_text(graph)
    a, b = (simulate(g, {"ecg": X[:4]}) for g in (graph, loaded))
    np.testing.assert_array_equal(a.logits, b.logits)


def test_logits_keep_their_digits_beside_a_large_mean():
    """The slope of a class is a difference of two large numbers; in float32 it would be off by percents."""
    net = trained(False, samples=700, channels=(5, 9), strides=(2, 1, 1))
    with torch.no_grad():
        net.blocks[-1].norm.running_mean.fill_(3e5)
    node = list(lower_ecg(net, "tiny").nodes())[-1]
    norm = net.blocks[-1].norm.double()
    want = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
    np.testing.assert_allclose(node.rise / 2.0**node.frac, want, atol=0.5001 / 2**node.frac)
    np.testing.assert_allclose(node.fall, node.rise * net.blocks[-1].prelu.weight.item(), atol=0.6)


def test_a_float_network_is_refused():
    with pytest.raises(
        ModelError, match="the float network cannot be lowered: a graph has no real weights; train with"
    ):
        lower_ecg(blank(EcgConfig(CLASSES, binary=False), 0), "ecg5")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_network_is_refused(value):
    net = trained(False)
    with torch.no_grad():
        net.blocks[2].norm.bias[3] = value
    with pytest.raises(ModelError, match="blocks.2.norm.bias holds NaN or infinity, so the training diverged"):
        lower_ecg(net, "ecg5")


def test_a_degenerate_batch_norm_is_refused():
    net = trained(False)
    with torch.no_grad():
        net.blocks[-1].norm.weight.fill_(1e9)
    with pytest.raises(ModelError, match=r"block6: logits reach .*, which no int32 holds: a degenerate batch norm"):
        lower_ecg(net, "ecg5")
