"""sign(x) forward, and the published slopes backward, against the formulas in plain NumPy."""

import numpy as np
import pytest
import torch
from brevitas.nn import QuantConv1d, QuantIdentity
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import ModelError
from bnn.graph.arith import round_div
from bnn.models import quant

X = np.linspace(-3, 3, 1201, dtype=np.float32)


def gradient(estimator, progress, of_weights, x=X, upstream=1.0):
    layer = quant.BinaryTensorQuant(estimator, of_weights)
    layer.set_progress(progress)
    x = torch.tensor(x, requires_grad=True)
    layer(x)[0].backward(torch.full_like(x, upstream))
    return x.grad.numpy()


def annealed(x, progress, of_weights):
    """The formula of arXiv 2304.01568, said again."""
    t = 10 ** (-2 + 3 * progress)
    k = max(1 / t, 1) if of_weights else 1
    t = t if of_weights else max(t, 1)
    return np.maximum(0, k * (np.sqrt(3) * t - 1.5 * t**2 * np.abs(x.astype(np.float64))))


def test_the_sign_is_never_zero():
    x = torch.tensor([0.0, -0.0, 1e-30, -1e-30, 5.0, -5.0])
    assert quant.sign(x).tolist() == [1, 1, 1, -1, 1, -1]


def test_the_quantiser_is_the_sign_with_scale_one():
    y, scale, zero_point, bits = quant.BinaryTensorQuant("ste", of_weights=False)(torch.tensor([0.0, -0.0, -2.0, 3.0]))
    assert y.tolist() == [1, 1, -1, 1]
    assert (scale.item(), zero_point.item(), bits.item()) == (1, 0, 1)


@pytest.mark.parametrize("of_weights", [True, False])
@pytest.mark.parametrize("progress", [0.0, 0.2, 0.5, 2 / 3, 0.9, 1.0])
def test_annealed_slope(progress, of_weights):
    np.testing.assert_allclose(
        gradient("annealed", progress, of_weights), annealed(X, progress, of_weights), rtol=2e-5, atol=2e-4
    )


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_slopes_that_do_not_anneal(progress):
    np.testing.assert_array_equal(gradient("ste", progress, True), np.abs(X) <= 1)
    expected = np.where(np.abs(X) < 1, 2 - 2 * np.abs(X), 0)  # Bi-Real Net, equation 6
    np.testing.assert_allclose(gradient("approxsign", progress, False), expected, atol=1e-6)


@given(st.sampled_from(quant.ESTIMATORS), st.floats(0, 1), st.booleans(), st.floats(-4, 4, width=32))
def test_a_slope_is_even_scales_with_the_gradient_and_never_turns_it_round(estimator, progress, of_weights, upstream):
    one = gradient(estimator, progress, of_weights)
    assert (one >= 0).all()
    np.testing.assert_allclose(one, one[::-1], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(gradient(estimator, progress, of_weights, upstream=upstream), one * upstream, rtol=1e-6)


def test_unknown_estimator():
    with pytest.raises(ModelError, match=r"estimator 'magic' is unknown; choose one of annealed, ste, approxsign"):
        quant.slope("magic", 0.0, True)


def test_brevitas_layers_take_the_quantisers():
    conv = QuantConv1d(4, 6, 3, bias=False, weight_quant=quant.BinaryWeight, weight_estimator="approxsign")
    act = QuantIdentity(act_quant=quant.BinaryActivation, estimator="ste")
    assert set(conv.quant_weight().value.unique().tolist()) == {-1, 1}
    assert conv.quant_weight().scale.item() == act.act_quant.scale().item() == 1
    assert conv.quant_weight().bit_width.item() == 1
    x = torch.tensor([[-0.5, 0.0, 2.0]], requires_grad=True)
    act(x).sum().backward()
    assert x.grad.tolist() == [[1, 1, 0]]


def test_progress_reaches_every_quantiser():
    net = torch.nn.Sequential(
        QuantIdentity(act_quant=quant.BinaryActivation, estimator="annealed"),
        QuantConv1d(2, 2, 3, bias=False, weight_quant=quant.BinaryWeight, weight_estimator="annealed"),
    )
    quant.set_progress(net, 1.0)
    slopes = [m.slope for m in net.modules() if isinstance(m, quant.BinaryTensorQuant)]
    assert len(slopes) == 2
    assert all(s == quant.slope("annealed", 1.0, True) for s in slopes)  # at t = 10 both kinds agree


@pytest.mark.parametrize("frac, lo", [(5, -128), (5, 0), (7, -128)])
def test_int8_rounds_as_the_graph_does_and_is_held(frac, lo):
    x = torch.arange(-3000, 3000) / 400
    got = quant.FixedTensorQuant(frac, lo)(x)[0]
    want = np.clip(round_div(np.arange(-3000, 3000) * 2**frac, 400), lo, 127)
    np.testing.assert_array_equal(got.numpy() * 2**frac, want)


def test_the_gradient_of_int8_passes_where_nothing_is_held():
    x = torch.tensor([-5.0, -4.0, -1.2, 0.3, 3.96, 3.98, 7.0], requires_grad=True)
    quant.FixedTensorQuant(5, -128)(x)[0].sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 0, 0]


def test_rounding_lets_the_gradient_pass():
    x = torch.tensor([0.24, 0.25, -0.25, 9.9], requires_grad=True)
    y = quant.rounded(x, 1)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.5, 0.0, 10.0] and x.grad.tolist() == [1, 1, 1, 1]
