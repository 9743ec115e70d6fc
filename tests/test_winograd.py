"""Winograd's convolutions: the same numbers as by definition, and the same gradients."""

import pytest
import torch
import torch.nn.functional as F

from nstlab import winograd as module
from nstlab.encoders import load_encoder
from nstlab.encoders.modules import Convolution
from nstlab.runtime import generator
from nstlab.winograd import is_faster, winograd


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (2, 3, 4, 9), (1, 5, 1, 1), (3, 1, 13, 6)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_numbers_and_gradients_are_those_of_the_definition(shape, with_bias, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 36 * 6)  # several pieces of weights,
    monkeypatch.setattr(module, "TILES", 4)  # and several turns
    weight, bias = rand(4, shape[1], 3, 3, seed=1), rand(4, seed=2) if with_bias else None
    features = rand(*shape).requires_grad_()
    found, expected = winograd(features, weight, bias), F.conv2d(features, weight, bias, padding=1)
    assert torch.allclose(found, expected, atol=1e-11, rtol=0)
    slope = rand(*expected.shape, seed=3)
    ours, theirs = (
        torch.autograd.grad((out * slope).sum(), features)[0] for out in (found, expected)
    )
    assert torch.allclose(ours, theirs, atol=1e-11, rtol=0)


def test_rounding_in_float32_is_far_below_that_of_bfloat16():
    features, weight = rand(1, 64, 24, 24), rand(64, 64, 3, 3, seed=1)
    exact = F.conv2d(features, weight, padding=1)
    error = (winograd(features.float(), weight.float()).double() - exact).norm() / exact.norm()
    assert error < 1e-5 < 2**-9


def test_memory_comes_out_with_channels_last():
    features = rand(1, 4, 8, 12).contiguous(memory_format=torch.channels_last)
    assert winograd(features, rand(4, 4, 3, 3)).is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def this_processor(monkeypatch):
    """Is taken for one of those where it was measured."""
    monkeypatch.setattr(module, "INSTRUCTIONS", (torch.backends.cpu.get_cpu_capability(),))


def test_it_can_be_differentiated_twice():
    weight = rand(2, 3, 3, 3, seed=1)
    features = rand(1, 3, 5, 4).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: winograd(x, weight).square(), (features,))


@pytest.mark.usefixtures("this_processor")
def test_a_convolution_goes_that_way_only_where_it_may(monkeypatch):
    seen = []

    def noted(*given: torch.Tensor) -> torch.Tensor:
        seen.append(1)
        return winograd(*given)

    monkeypatch.setattr("nstlab.encoders.modules.winograd", noted)
    wide = Convolution(192, 192, 3, padding=1).requires_grad_(False)
    large, small = torch.rand(1, 192, 24, 24), torch.rand(1, 192, 23, 24)
    expected = F.conv2d(large, wide.weight, wide.bias, padding=1)
    assert torch.allclose(wide(large), expected, atol=1e-4, rtol=0) and len(seen) == 1
    wide(small)  # too few positions
    wide.double()(large.double())  # no need to hurry
    wide.float().requires_grad_(True)(large)  # weights that learn need their gradient
    Convolution(192, 192, 3, padding=1, padding_mode="reflect").requires_grad_(False)(large)
    Convolution(192, 192, 3, padding=1, stride=2).requires_grad_(False)(large)
    Convolution(191, 192, 3, padding=1).requires_grad_(False)(large[:, 1:])
    wide.requires_grad_(False)
    assert wide.bias is not None
    wide.bias.requires_grad_(True)
    wide(large).sum().backward()
    assert wide.bias.grad is not None
    wide.requires_grad_(False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        wide(large)
    assert wide(large[0]).shape == large[0].shape  # as torch's own takes it
    assert len(seen) == 1


@pytest.mark.usefixtures("this_processor")
def test_a_wide_encoder_gives_the_features_and_gradients_of_its_layers(monkeypatch):
    encoder = load_encoder("vgg11", weights="random")
    image = torch.rand(1, 3, 96, 128, generator=generator(0)).requires_grad_()
    layers = ["relu2_1", "relu3_2", "relu4_2"]
    results = []
    for instructions in (module.INSTRUCTIONS, ()):
        monkeypatch.setattr(module, "INSTRUCTIONS", instructions)
        features = encoder(image, layers)
        (gradient,) = torch.autograd.grad(
            torch.stack([each.square().mean() for each in features.values()]).sum(), image
        )
        results.append([*features.values(), gradient])
    for ours, theirs in zip(*results, strict=True):
        assert (ours - theirs).norm() < 1e-4 * theirs.norm()
    assert not torch.equal(results[0][1], results[1][1])


@pytest.mark.usefixtures("this_processor")
def test_where_it_is_faster(monkeypatch):
    assert is_faster(192, 192, 576) and not is_faster(192, 192, 575)
    assert is_faster(256, 512, 1536) and not is_faster(256, 512, 1535)
    assert not is_faster(191, 512, 10**6)
    monkeypatch.setattr(module, "INSTRUCTIONS", ())
    assert not is_faster(512, 512, 10**6)
