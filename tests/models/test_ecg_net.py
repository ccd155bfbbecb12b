"""The network's shapes, its order of operations and its two variants."""

import numpy as np
import pytest
import torch

from bnn.errors import ModelError
from bnn.models import quant
from bnn.models.ecg import EcgConfig, EcgNet, blank

SEVENTEEN = tuple(f"c{i}" for i in range(17))


def run_and_watch(net, x, kind):
    """Shapes that leave every module called `kind` of each block."""
    shapes = []
    hooks = [getattr(b, kind).register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape))) for b in net.blocks]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return shapes


@pytest.mark.parametrize("binary", [True, False])
def test_shapes_of_the_paper(binary):
    net = blank(EcgConfig(SEVENTEEN, binary=binary), 0).eval()
    x = torch.randn(2, 1, 3600)
    channels = (8, 16, 32, 32, 64, 17)
    conv, pooled = (1802, 902, 452, 227, 115, 59), (898, 448, 223, 111, 55, 27)
    assert run_and_watch(net, x, "conv") == [(2, c, 1, t) for c, t in zip(channels, conv, strict=True)]
    assert run_and_watch(net, x, "norm") == [(2, c, 1, t) for c, t in zip(channels, pooled, strict=True)]
    assert net(x).shape == (2, 17)


def test_the_largest_value_is_read_out_of_all_positions():
    net = blank(EcgConfig(SEVENTEEN, readout="max"), 0).eval()
    x = torch.randn(2, 1, 3600)
    assert run_and_watch(net, x, "conv")[-1] == (2, 17, 1, 59)
    assert [t for *_, t in run_and_watch(net, x, "norm")] == [898, 448, 223, 111, 55, 1]
    last = net.blocks[-1]
    y = x[:, :, None]
    for block in net.blocks[:-1]:
        y = block(y)
    largest = last.conv(last.pad(last.sign(y))).amax(dim=3, keepdim=True)
    assert torch.equal(net(x), last.norm(last.prelu(largest))[:, :, 0, 0])


@pytest.mark.parametrize(
    ("field", "value", "wanted"), [("normalisation", "future", "window or past"), ("readout", "mean", "sum or max")]
)
def test_unknown_words_are_refused(field, value, wanted):
    with pytest.raises(ModelError, match=f"{field} is '{value}', wanted {wanted}"):
        EcgConfig(SEVENTEEN, **{field: value})


@pytest.mark.parametrize(("classes", "bits"), [(5, 28_280), (17, 33_656)])
def test_weight_bits_of_the_paper(classes, bits):
    net = EcgNet(EcgConfig(SEVENTEEN[:classes]))
    assert sum(block.binary_weight().numel() for block in net.blocks) == bits


def test_weights_are_exactly_plus_or_minus_one():
    for block in blank(EcgConfig(SEVENTEEN), 3).blocks:
        assert set(block.binary_weight().unique().tolist()) == {-1, 1}
        assert torch.equal(block.binary_weight(), block.conv.quant_weight().value[:, :, 0])


def test_a_block_is_what_its_contract_says():
    """Second block against plain NumPy: sign, pad +1, correlate, max-pool, PReLU, batch norm."""
    torch.manual_seed(5)
    block = blank(EcgConfig(SEVENTEEN), 1).blocks[1].eval()
    block.norm.running_mean.uniform_(-9, 9)
    block.norm.running_var.uniform_(1, 9)
    torch.nn.init.uniform_(block.norm.weight, -1, 1)
    torch.nn.init.uniform_(block.norm.bias, -1, 1)
    x = torch.randn(1, 8, 40)
    x[0, 0, :5] = 0.0
    padded = np.pad(np.where(x[0].numpy() >= 0, 1, -1), ((0, 0), (5, 5)), constant_values=1)
    w = block.binary_weight().numpy()
    acc = np.array([[(padded[:, t : t + 7] * w[o]).sum() for t in range(44)] for o in range(16)])
    best = np.array([[acc[o, 2 * t : 2 * t + 7].max() for t in range(19)] for o in range(16)])
    bent = np.where(best >= 0, best, best * block.prelu.weight.item())
    norm = {k: v.detach().double().numpy()[:, None] for k, v in block.norm.state_dict().items() if v.ndim}
    scale = norm["weight"] / np.sqrt(norm["running_var"] + block.norm.eps)
    expected = (bent - norm["running_mean"]) * scale + norm["bias"]
    np.testing.assert_allclose(block(x[:, :, None])[0, :, 0].detach().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_only_the_first_block_takes_real_values():
    net = EcgNet(EcgConfig(SEVENTEEN))
    assert [block.binary_input for block in net.blocks] == [False, True, True, True, True, True]
    assert isinstance(net.blocks[0].sign, torch.nn.Identity)
    assert all(block.pad.value == 1.0 for block in net.blocks)


def test_the_float_twin_has_real_weights_and_no_sign():
    net = blank(EcgConfig(SEVENTEEN, binary=False), 0)
    assert not any(block.binary_input for block in net.blocks)
    assert not any(isinstance(m, quant.BinaryTensorQuant) for m in net.modules())
    assert net.blocks[2].conv.weight.unique().numel() > 1000
    with pytest.raises(ModelError, match="the float network has no binary weights; take a network with binary=True"):
        net.blocks[0].binary_weight()


def test_binary_and_float_share_one_set_of_parameters():
    names = [set(blank(EcgConfig(SEVENTEEN, binary=b), 0).state_dict()) for b in (True, False)]
    assert names[0] == names[1]


def test_dropout_acts_in_training_alone():
    net = blank(EcgConfig(SEVENTEEN, dropout=0.5), 0)
    x = torch.randn(2, 1, 3600)
    assert torch.equal(net.eval()(x), net(x))
    assert not torch.equal(net.train()(x), net(x))


def test_the_seed_alone_decides_the_weights():
    torch.manual_seed(1)
    first = blank(EcgConfig(SEVENTEEN), 7).state_dict()
    torch.manual_seed(2)
    second = blank(EcgConfig(SEVENTEEN), 7).state_dict()
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(first["blocks.1.conv.weight"], blank(EcgConfig(SEVENTEEN), 8).blocks[1].conv.weight)


def test_a_gradient_reaches_every_weight():
    net = blank(EcgConfig(SEVENTEEN), 0)
    net(torch.randn(4, 1, 3600)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


def test_bad_configs():
    with pytest.raises(ModelError, match=r"has 3 blocks \(channels \(8, 16\) and the classes\), but 6 strides were"):
        EcgConfig(SEVENTEEN, channels=(8, 16))
    with pytest.raises(ModelError, match="a classifier needs at least two"):
        EcgConfig(("only",))
