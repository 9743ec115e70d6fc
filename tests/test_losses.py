"""Losses against their formulas, written out by hand on random features."""

import pytest
import torch
from torch import Tensor

from nstlab.gram import gram_matrix
from nstlab.losses import (
    EPSILON,
    NORMALIZATIONS,
    Normalization,
    content_loss,
    range_loss,
    style_loss,
    variation_loss,
)
from nstlab.runtime import generator


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_content_loss_is_its_formula(normalization: Normalization) -> None:
    features, target = random(2, 3, 4, 5), random(1, 3, 4, 5, seed=1)
    channels, positions = 3, 20
    for index in range(2):
        squares = sum(
            (features[index, n, y, x].item() - target[0, n, y, x].item()) ** 2
            for n in range(3)
            for y in range(4)
            for x in range(5)
        )
        energy = sum(value**2 for value in target.flatten().tolist())
        expected = {
            "relative": squares / (energy + EPSILON * channels * positions),
            "gatys": squares / 2,
            "mean": squares / (channels * positions),
            "fastai": squares / (channels * positions),
            "johnson": squares / (channels * positions),
        }[normalization]
        found = content_loss(features, target, normalization)[index].item()
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_style_loss_is_its_formula(normalization: Normalization) -> None:
    features, other = random(1, 3, 4, 5), random(1, 3, 6, 2, seed=1)
    channels, positions, positions_other = 3, 20, 12
    raw = (features[0].flatten(1) @ features[0].flatten(1).T).tolist()
    raw_other = (other[0].flatten(1) @ other[0].flatten(1).T).tolist()
    pairs = [
        (g, a) for gs, as_ in zip(raw, raw_other, strict=True) for g, a in zip(gs, as_, strict=True)
    ]
    squares = sum((g / positions - a / positions_other) ** 2 for g, a in pairs)
    energy = sum((a / positions_other) ** 2 for _, a in pairs)
    expected = {
        "relative": squares / (energy + EPSILON * channels**2),
        "gatys": squares / (4 * channels**2),
        "mean": squares / channels**2,
        "fastai": sum(
            (1e6 * (g / (channels * positions) - a / (channels * positions_other))) ** 2
            for g, a in pairs
        )
        / channels**2,
        "johnson": sum(
            (g / (channels * positions) - a / (channels * positions_other)) ** 2 for g, a in pairs
        ),
    }[normalization]
    found = style_loss(gram_matrix(features), gram_matrix(other), normalization).item()
    assert found == pytest.approx(expected, rel=1e-12)


def test_gatys_is_the_papers_formula_where_the_sizes_agree() -> None:
    features, other = random(1, 3, 4, 5), random(1, 3, 4, 5, seed=1)
    raw, raw_other = gram_matrix(features, "none"), gram_matrix(other, "none")
    paper = (raw - raw_other).square().sum() / (4 * 3**2 * 20**2)
    found = style_loss(gram_matrix(features), gram_matrix(other), "gatys")
    assert found.item() == pytest.approx(paper.item(), rel=1e-12)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_relative_does_not_change_with_the_scale_of_features(factor: float) -> None:
    features, target = 10 * random(1, 3, 4, 5), 10 * random(1, 3, 4, 5, seed=1)
    plain = content_loss(features, target)
    assert torch.allclose(content_loss(factor * features, factor * target), plain, rtol=1e-2)
    grams = gram_matrix(features), gram_matrix(target)
    scaled = gram_matrix(factor * features), gram_matrix(factor * target)
    if factor > 1e-2:  # smaller ones come near ε, which is there for black pictures
        assert torch.allclose(style_loss(*scaled), style_loss(*grams), rtol=1e-6)


def test_a_picture_compared_with_nothing_has_relative_loss_one() -> None:
    target = 10 * random(1, 3, 4, 5)
    assert content_loss(torch.zeros_like(target), target).item() == pytest.approx(1, rel=1e-6)
    gram = gram_matrix(target)
    assert style_loss(torch.zeros_like(gram), gram).item() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_black_and_flat_targets_give_finite_losses_and_gradients(
    normalization: Normalization,
) -> None:
    for level in (0.0, 0.5):
        target = torch.full((1, 3, 4, 5), level)
        features = torch.rand(1, 3, 4, 5, requires_grad=True)
        loss = content_loss(features, target, normalization) + style_loss(
            gram_matrix(features), gram_matrix(target), normalization
        )
        loss.sum().backward()
        assert features.grad is not None
        assert torch.isfinite(loss).all()
        assert torch.isfinite(features.grad).all()


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_losses_are_zero_at_the_target_and_separate_for_each_picture(
    normalization: Normalization,
) -> None:
    pictures = random(3, 2, 4, 4)
    content = content_loss(pictures, pictures[1:2], normalization)
    style = style_loss(gram_matrix(pictures), gram_matrix(pictures[1:2]), normalization)
    for losses in (content, style):
        assert losses.shape == (3,)
        assert losses[1] == 0
        assert losses[0] > 0
        assert losses[2] > 0
    alone = content_loss(pictures[:1], pictures[1:2], normalization)
    assert alone[0] == content[0]


# Row 9 of the documents: the closed-form derivatives, in float64, with respect to the ReLU's output
# and to its input.


def gradients(loss: Tensor, at: Tensor) -> Tensor:
    return torch.autograd.grad(loss.sum(), at, retain_graph=True)[0]


def test_derivatives_of_the_paper_with_respect_to_the_outputs_of_a_relu() -> None:
    features = random(1, 3, 4, 5).requires_grad_()
    target = random(1, 3, 4, 5, seed=1)
    content = gradients(content_loss(features, target, "gatys"), features)
    assert (content - (features - target)).abs().max() < 1e-10
    style = gradients(
        style_loss(gram_matrix(features), gram_matrix(target), "gatys"), features
    ).flatten(2)
    flat, channels, positions = features.flatten(2), 3, 20
    difference = gram_matrix(features, "none") - gram_matrix(target, "none")
    closed = difference @ flat / (channels**2 * positions**2)
    assert (style - closed).abs().max() < 1e-10


def test_derivatives_with_respect_to_the_inputs_of_a_relu_vanish_where_it_is_off() -> None:
    before = (random(1, 3, 4, 5) - 0.5).requires_grad_()
    features, target = before.relu(), random(1, 3, 4, 5, seed=1)
    on = (before > 0).double()
    assert 0 < on.mean() < 1
    content = gradients(content_loss(features, target, "gatys"), before)
    assert (content - (features - target) * on).abs().max() < 1e-10
    style = gradients(style_loss(gram_matrix(features), gram_matrix(target), "gatys"), before)
    difference = gram_matrix(features, "none") - gram_matrix(target, "none")
    closed = (difference @ features.flatten(2) / (3**2 * 20**2)).reshape(before.shape) * on
    assert (style - closed).abs().max() < 1e-10


def test_variation_of_a_step_is_the_steps_height() -> None:
    image = torch.zeros(1, 3, 5, 6)
    image[..., 3:] = 0.5  # one of five column pairs has a step of 0.5
    assert variation_loss(image, exponent=1.0).item() == pytest.approx(0.25 / 5)
    assert variation_loss(image).item() == pytest.approx(0.5**2.5 / 5)
    assert variation_loss(image.mT, exponent=1.0).item() == pytest.approx(0.25 / 5)


def test_variation_is_zero_with_zero_gradient_on_a_flat_picture() -> None:
    image = torch.full((2, 3, 4, 4), 0.3, requires_grad=True)
    loss = variation_loss(image)
    loss.sum().backward()
    assert image.grad is not None
    assert torch.equal(loss, torch.zeros(2))
    assert torch.equal(image.grad, torch.zeros_like(image))


def test_variation_converts_to_a_sum_over_0_to_255() -> None:
    image = random(1, 3, 5, 7)
    pixels = 255 * image
    across = pixels[..., :-1, 1:] - pixels[..., :-1, :-1]
    down = pixels[..., 1:, :-1] - pixels[..., :-1, :-1]
    summed = (across.square() + down.square()).pow(1.25).sum()
    assert summed.item() == pytest.approx(3 * 4 * 6 * 255**2.5 * variation_loss(image).item())


def test_range_loss_counts_only_what_lies_outside() -> None:
    inside = torch.tensor([0.0, 0.5, 1.0]).repeat(12).reshape(1, 3, 3, 4)
    assert range_loss(inside).item() == 0
    outside = inside.clone()
    outside[0, 0, 0, 0], outside[0, 1, 1, 1] = -0.5, 1.5
    assert range_loss(outside).item() == pytest.approx((0.25 + 0.25) / 36)


def test_errors_say_what_came_in(unchecked_types: None) -> None:
    features = torch.rand(2, 3, 4, 5)
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 5\).*\(1, 3, 4, 6\)"):
        content_loss(features, torch.rand(1, 3, 4, 6))
    with pytest.raises(ValueError, match=r"\(2, 3, 3\).*\(3, 3, 3\)"):
        style_loss(gram_matrix(features), torch.rand(3, 3, 3))
    with pytest.raises(ValueError, match="at least 1"):
        variation_loss(torch.rand(1, 3, 4, 4), exponent=0.5)
    with pytest.raises(ValueError, match="no neighbours"):
        variation_loss(torch.rand(1, 3, 1, 4))
