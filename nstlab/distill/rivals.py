"""Pictures in the middle of an optimisation, which natural pictures never resemble."""

import random
from typing import Any

import torch
from torch import Tensor

from nstlab.encoders import Encoder
from nstlab.gram import gram_matrix

MOVES = 3  # each time a rival is used
LENGTH = 0.015  # of a move: mean change of a pixel
MOMENTUM = 0.7
LAST_USE = 0.08  # chance that a rival is replaced after it was used


class Rivals:
    """A few pictures that descend towards the styles of others, as the student sees them.

    A style transfer leaves the pictures that a network was trained on, and finds those for which
    the student is wrong: its Gram matrices agree with a style's while the teacher's do not. Each
    rival is such a picture on its way. It is trained on beside its target, so that the student
    learns to tell them apart, and then the rival has to find something else.
    """

    def __init__(self, count: int, layers: tuple[str, ...], seed: int) -> None:
        """Reserve places; pictures come with the first calls of `next`.

        Args:
            count: how many are on their way at a time.
            layers: of the student, where Gram matrices are compared; each rival has some of them.
            seed: of all choices.
        """
        self.count, self.layers, self.seed = count, layers, seed
        self.places: list[dict[str, Any] | None] = [None] * count

    def next(self, student: Encoder, step: int, fresh: Tensor) -> Tensor:
        """Move one rival on, and hand it out with its target.

        Args:
            student: what the rival exploits; not changed.
            step: number of the training step, from which all choices follow.
            fresh: (2, 3, h, w) a start and a target, used where a rival is to be replaced.

        Returns:
            (2, 3, h, w) the rival and its target.
        """
        choose = random.Random(f"rivals {self.seed}/{step}")
        place = choose.randrange(self.count)
        rival = self.places[place] or self._new(fresh, choose)
        with torch.no_grad():
            goals = _grams(student, rival["target"], rival["layers"])
        for _ in range(MOVES):
            _move(rival, student, goals)
        self.places[place] = None if choose.random() < LAST_USE else rival
        return torch.stack([rival["image"], rival["target"]])

    def state_dict(self) -> list[dict[str, Any] | None]:
        """All that a resumed training needs."""
        return self.places

    def load_state_dict(self, state: list[dict[str, Any] | None]) -> None:
        """Go on where `state_dict` was called."""
        self.places = list(state)

    def _new(self, fresh: Tensor, choose: random.Random) -> dict[str, Any]:
        first = choose.randrange(len(self.layers))
        last = choose.randrange(first, len(self.layers))
        return {
            "image": fresh[0].clone(),
            "target": fresh[1].clone(),
            "momentum": torch.zeros_like(fresh[0]),
            "layers": list(self.layers[first : last + 1]),
        }


def _grams(student: Encoder, picture: Tensor, layers: list[str]) -> list[Tensor]:
    return [gram_matrix(features) for features in student(picture[None], layers).values()]


def _move(rival: dict[str, Any], student: Encoder, goals: list[Tensor]) -> None:
    """One step down the style loss, of a fixed length, with momentum."""
    image = rival["image"].detach().requires_grad_()
    losses = [
        (gram - goal).square().sum() / goal.square().sum().clamp_min(1e-12)
        for gram, goal in zip(_grams(student, image, rival["layers"]), goals, strict=True)
    ]
    (slope,) = torch.autograd.grad(torch.stack(losses).sum(), image)
    slope = slope / slope.abs().mean().clamp_min(1e-20)
    rival["momentum"] = MOMENTUM * rival["momentum"] + (1 - MOMENTUM) * slope
    rival["image"] = (image.detach() - LENGTH * rival["momentum"]).clamp(0, 1)
