"""Adam and gradient descent: torch's own as the oracle; pictures of a batch apart."""

import pytest
import torch
from torch import Tensor

from nstlab.runtime import generator
from nstlab.steppers import Adam, GradientDescent


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=generator(seed), dtype=torch.float64)


CURVATURE = 0.1 + random(2, 3, 4, 4, seed=2)


def slope(image: Tensor) -> Tensor:
    return CURVATURE * (image - 0.3)


@pytest.mark.parametrize("kind", [Adam, GradientDescent])
def test_steps_are_those_of_torch(kind: type[GradientDescent]) -> None:
    image = random(2, 3, 4, 4)
    point = image.clone().requires_grad_()
    if kind is Adam:
        oracle = torch.optim.Adam([point], lr=0.05, betas=(0.9, 0.99))
    else:
        oracle = torch.optim.SGD([point], lr=0.05)
    stepper = kind(image, 0.05)
    for _ in range(20):
        point.grad = slope(point.detach())
        oracle.step()
        image = stepper.advance(torch.zeros(2), slope(image))
    assert torch.allclose(image, point.detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [Adam, GradientDescent])
def test_a_restart_begins_anew_for_the_pictures_named(kind: type[GradientDescent]) -> None:
    starts = random(2, 3, 4, 4)
    stepper, untouched, image, other = kind(starts, 0.1), kind(starts, 0.1), starts, starts
    for _ in range(5):
        image, other = (
            stepper.advance(torch.zeros(2), slope(image)),
            untouched.advance(torch.zeros(2), slope(other)),
        )
    image = stepper.restart(starts, torch.tensor([False, True]), caution=0.25)
    assert torch.equal(image[1], starts[1])
    fresh = kind(starts, 0.025).advance(torch.zeros(2), slope(starts))
    image, other = (
        stepper.advance(torch.zeros(2), slope(image)),
        untouched.advance(torch.zeros(2), slope(other)),
    )
    assert torch.equal(image[0], other[0])
    assert torch.allclose(image[1], fresh[1], rtol=1e-12)
