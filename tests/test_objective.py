"""The weighted sum of terms: values, gradients, batches, weights that change."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.gram import gram_matrix
from nstlab.losses import content_loss, range_loss, style_loss, variation_loss
from nstlab.objective import (
    LayerTerm,
    Objective,
    blend_grams,
    content_term,
    range_term,
    style_term,
    variation_term,
)

LAYERS = ["relu1_1", "relu2_1"]


@pytest.fixture
def encoder(tiny_encoder: Encoder) -> Encoder:
    return tiny_encoder.to(torch.float64)


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(3, 3, 16, 20, dtype=torch.float64)


def both(encoder: Encoder, picture: Tensor, beta: float | Tensor = 3.0) -> Objective:
    features = encoder(picture, LAYERS)
    return Objective(
        encoder,
        [
            content_term(encoder(picture.flip(3), ["relu3_1"]), weight=2.0),
            style_term(blend_grams([features]), weight=beta),
            variation_term(0.5),
            range_term(0.25),
        ],
    )


def test_total_is_the_weighted_sum_of_the_losses(encoder: Encoder, pictures: Tensor) -> None:
    image, target = pictures[:1] * 1.5, pictures[1:2]
    losses, _ = both(encoder, target).value_and_grad(image)
    of = encoder(image, [*LAYERS, "relu3_1"])
    by_hand = {
        "content": content_loss(of["relu3_1"], encoder(target.flip(3), ["relu3_1"])["relu3_1"]),
        "style": torch.stack(
            [
                style_loss(gram_matrix(of[name]), gram_matrix(value)) / 2
                for name, value in encoder(target, LAYERS).items()
            ]
        ).sum(0),
        "variation": variation_loss(image),
        "range": range_loss(image),
    }
    assert list(losses) == [*by_hand, "total"]
    for name, value in by_hand.items():
        assert torch.allclose(losses[name], value, rtol=1e-10)
    total = 2 * by_hand["content"] + 3 * by_hand["style"]
    total = total + 0.5 * by_hand["variation"] + 0.25 * by_hand["range"]
    assert torch.allclose(losses["total"], total, rtol=1e-10)


def test_gradient_is_the_slope(encoder: Encoder, pictures: Tensor) -> None:
    objective = both(encoder, pictures[1:2])
    image, direction = pictures[:1], torch.randn_like(pictures[:1])
    _, gradient = objective.value_and_grad(image)
    step = 1e-6
    up = objective.value_and_grad(image + step * direction)[0]["total"]
    down = objective.value_and_grad(image - step * direction)[0]["total"]
    slope = (up - down).item() / (2 * step)
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-5)


def test_pictures_of_a_batch_do_not_affect_one_another(encoder: Encoder, pictures: Tensor) -> None:
    objective = both(encoder, pictures[1:2])
    losses, gradient = objective.value_and_grad(pictures)
    for index in range(3):
        alone, gradient_alone = objective.value_and_grad(pictures[index : index + 1])
        assert torch.allclose(alone["total"][0], losses["total"][index], rtol=1e-10)
        assert torch.allclose(gradient_alone[0], gradient[index], rtol=1e-8, atol=1e-14)


def test_weights_may_differ_for_each_picture(encoder: Encoder, pictures: Tensor) -> None:
    betas = torch.tensor([0.0, 1.0, 100.0], dtype=torch.float64)
    losses, gradient = both(encoder, pictures[1:2], betas).value_and_grad(pictures)
    for index, beta in enumerate(betas):
        one = both(encoder, pictures[1:2], beta.item())
        alone, gradient_alone = one.value_and_grad(pictures[index : index + 1])
        assert torch.allclose(alone["total"][0], losses["total"][index], rtol=1e-10)
        assert torch.allclose(gradient_alone[0], gradient[index], rtol=1e-8, atol=1e-14)


def test_a_changed_weight_acts_at_the_next_evaluation(encoder: Encoder, pictures: Tensor) -> None:
    objective = both(encoder, pictures[1:2])
    before, _ = objective.value_and_grad(pictures[:1])
    objective.terms["style"].weight = 4.0
    after, _ = objective.value_and_grad(pictures[:1])
    assert after["style"] == before["style"]
    assert torch.allclose(after["total"] - before["total"], before["style"])


def test_a_blend_of_one_style_with_itself_is_that_style(encoder: Encoder, pictures: Tensor) -> None:
    one, other = encoder(pictures[:1], LAYERS), encoder(pictures[1:2], LAYERS)
    same = blend_grams([one, one], [3, 1])
    only = blend_grams([one, other], [5, 0])
    mixed = blend_grams([one, other], [1, 3])
    for name in LAYERS:
        assert torch.allclose(same[name], gram_matrix(one[name]))
        assert torch.allclose(only[name], gram_matrix(one[name]))
        by_hand = gram_matrix(one[name]) / 4 + gram_matrix(other[name]) * 3 / 4
        assert torch.allclose(mixed[name], by_hand)


def test_a_cost_of_ones_own(encoder: Encoder, pictures: Tensor) -> None:
    term = LayerTerm("dark", {"image": torch.zeros(1)}, lambda image, _: image.mean((1, 2, 3)))
    losses, gradient = Objective(encoder, [term]).value_and_grad(pictures)
    assert torch.allclose(losses["dark"], pictures.mean((1, 2, 3)))
    assert torch.allclose(gradient, torch.full_like(pictures, 1 / pictures[0].numel()))


class Rooted(LayerTerm):
    """Not the sum over layers, but its root."""

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return super().__call__(features).sqrt()


class Difference:
    """A term that is no `LayerTerm`: between two layers of one picture, and the picture."""

    name, weight, layers = "difference", 0.5, ("relu1_2", "image", "relu1_1")

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        means = [features[name].mean((1, 2, 3)) for name in self.layers]
        return (means[0] - means[1] + means[2]).square()


def test_terms_that_are_no_sums_stand_beside_those_that_are(
    encoder: Encoder, pictures: Tensor
) -> None:
    target = encoder(pictures[:1], ["relu1_2", "relu2_1"])
    rooted = Rooted("rooted", target, lambda f, t: (f - t).square().mean((1, 2, 3)))
    terms = [rooted, Difference(), range_term(), content_term(target)]
    image = pictures[1:].flip(3)
    found, gradient = Objective(encoder, terms).value_and_grad(image)
    point = image.clone().requires_grad_()
    features = {"image": point, **encoder(point, ["relu1_1", "relu1_2", "relu2_1"])}
    assert list(found) == ["rooted", "difference", "range", "content", "total"]
    for term in terms:
        assert torch.allclose(found[term.name], term(features), atol=1e-12, rtol=0)
    total = sum((term.weight * term(features) for term in terms), torch.zeros(2))
    (slope,) = torch.autograd.grad(total.sum(), point)
    assert torch.allclose(gradient, slope, atol=1e-12, rtol=0)


def test_a_layer_added_later_is_not_left_out_in_silence(encoder: Encoder, pictures: Tensor) -> None:
    features = encoder(pictures[:1], LAYERS)
    term = content_term({"relu1_1": features["relu1_1"]})
    objective = Objective(encoder, [term])
    term.targets, term.layer_weights = features, dict.fromkeys(features, 0.5)
    with pytest.raises(ValueError, match="the content term reads other layers now"):
        objective.value_and_grad(pictures)


def test_gradients_are_made_when_the_way_back_comes_to_their_layer(
    encoder: Encoder, pictures: Tensor
) -> None:
    order: list[str] = []

    def cost(features: Tensor, name: Tensor) -> Tensor:
        layer = LAYERS[int(name)]
        features.register_hook(lambda _: order.append(layer))
        squares = features.square()
        squares.register_hook(lambda _: order.append(f"term of {layer}"))
        return squares.mean((1, 2, 3))

    targets = {name: torch.tensor(float(place)) for place, name in enumerate(LAYERS)}
    Objective(encoder, [LayerTerm("own", targets, cost)]).value_and_grad(pictures)
    assert order == ["term of relu2_1", "relu2_1", "term of relu1_1", "relu1_1"]


def test_the_picture_is_not_changed_nor_made_to_require_gradients(
    encoder: Encoder, pictures: Tensor
) -> None:
    image = pictures.clone()
    with torch.no_grad():
        _, gradient = both(encoder, pictures[1:2]).value_and_grad(image)
    assert torch.equal(image, pictures)
    assert not image.requires_grad
    assert not gradient.requires_grad


def test_mistakes_are_named(encoder: Encoder, pictures: Tensor) -> None:
    term = variation_term()
    with pytest.raises(ValueError, match="variation, variation"):
        Objective(encoder, [term, variation_term()])
    with pytest.raises(ValueError, match="none"):
        Objective(encoder, [])
    missing = LayerTerm("own", {"relu9_9": torch.zeros(1)}, lambda a, b: a - b)
    with pytest.raises(ValueError, match="relu9_9"):
        Objective(encoder, [missing])
    with pytest.raises(ValueError, match="no layer"):
        style_term({})
    features = encoder(pictures[:1], LAYERS)
    with pytest.raises(ValueError, match="one weight for each layer"):
        content_term(features, {"relu1_1": 1.0})
    with pytest.raises(ValueError, match="do not fit"):
        blend_grams([features], [1, 2])
    with pytest.raises(ValueError, match="negative"):
        blend_grams([features, features], [1, -1])
    with pytest.raises(ValueError, match="all zero"):
        blend_grams([features], [0])
