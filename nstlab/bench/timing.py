"""Milliseconds of one evaluation, and of the optimiser between two of them; ours and textbook's."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.bench.clock import in_turns, synchronise
from nstlab.bench.problem import Problem
from nstlab.bench.textbook import lbfgs_with_full_history
from nstlab.optimize import minimize
from nstlab.runtime import generator
from nstlab.settings import Settings

TEXTBOOK = "textbook"  # beside the names of our precisions
BALLAST = 1 << 26  # floats, 256 MB: more than the caches hold


def evaluation_seconds(
    problem: Problem, precisions: Sequence[str], *, rounds: int = 5
) -> dict[str, list[float]]:
    """Seconds of loss and gradient at one picture, ours and the textbook's closure in turns.

    Args:
        problem: what is evaluated.
        precisions: of ours, as `choose_precision` gives them.
        rounds: turns that count.

    Returns:
        Each precision, and `textbook`, to seconds of each turn.

    Raises:
        ValueError: no round, or an encoder that the textbook loop has no network for.
    """
    loop = problem.textbook()
    image = problem.content.clone().requires_grad_()
    blocks: dict[str, Callable[[], object]] = {TEXTBOOK: lambda: loop.closure(image)}
    for precision in precisions:
        objective = problem.objective(precision)
        blocks[precision] = lambda ours=objective: ours.value_and_grad(problem.content)
    return in_turns(blocks, problem.content.device, rounds)


class Bowl:
    """½ Σ d x² with d from 0.001 to 1: an objective that costs nothing beside an optimiser.

    At each evaluation it goes through more memory than the caches hold, as an encoder does, and
    notes when it began and when it ended, so that the time between two evaluations is known.
    """

    def __init__(self, like: Float[Tensor, "1 3 h w"], ballast: int = BALLAST) -> None:
        """Choose the curvatures.

        Args:
            like: a picture of the shape and on the device of the run.
            ballast: number of floats to go through.
        """
        random = torch.rand(like.shape, generator=generator(0))
        self.curvature = (10 ** (-3 * random)).to(like)
        self.ballast = torch.ones(ballast, device=like.device)
        self.device = like.device
        self.begun: list[float] = []
        self.ended: list[float] = []

    def value_and_grad(
        self, image: Float[Tensor, "1 3 h w"]
    ) -> tuple[dict[str, Float[Tensor, " 1"]], Float[Tensor, "1 3 h w"]]:
        """Loss and gradient, as `minimize` takes them."""
        synchronise(self.device)
        self.begun.append(time.perf_counter())
        point = image.detach()
        gradient = self.curvature * point
        total = (gradient * point).sum()[None] / 2
        self.ballast.mul_(1)
        synchronise(self.device)
        self.ended.append(time.perf_counter())
        return {"total": total}, gradient

    def between(self, last: int) -> list[float]:
        """Seconds between the end of an evaluation and the next one, of the last so many."""
        pairs = list(zip(self.ended, self.begun[1:], strict=False))
        return [begun - ended for ended, begun in pairs[-last:]]


def optimiser_seconds(
    like: Float[Tensor, "1 3 h w"], *, rounds: int = 3, steps: int = 10, ballast: int = BALLAST
) -> Mapping[str, float]:
    """Seconds that an optimiser with full memory spends between two evaluations.

    Ours is all that `minimize` does besides evaluating, with the default history and
    preconditioner; the textbook's is `torch.optim.LBFGS` with its own history (100), filled by
    `lbfgs_with_full_history`. They take turns.

    Args:
        like: a picture; its shape and device count.
        rounds: turns.
        steps: that count in each turn, 3 or more, after the memory is full.
        ballast: see `Bowl`.

    Returns:
        `ours` and `textbook`: the median over all steps of all turns.
    """
    found: dict[str, list[float]] = {"ours": [], TEXTBOOK: []}
    for _ in range(rounds):
        found["ours"] += _ours(like, steps, ballast)
        found[TEXTBOOK] += _textbook(like, steps, ballast)
    return {name: median(seconds) for name, seconds in found.items()}


def _ours(like: Float[Tensor, "1 3 h w"], steps: int, ballast: int) -> list[float]:
    history, bowl = Settings().history, Bowl(like, ballast)
    minimize(bowl, like, steps=history + steps, history=history)
    return bowl.between(last=steps - 1)


def _textbook(like: Float[Tensor, "1 3 h w"], steps: int, ballast: int) -> list[float]:
    bowl = Bowl(like, ballast)
    image = like.detach().clone().requires_grad_()

    def closure() -> Tensor:
        losses, image.grad = bowl.value_and_grad(image)
        return losses["total"][0]

    optimizer = lbfgs_with_full_history(image, closure)
    bowl.begun.clear()
    bowl.ended.clear()
    while len(bowl.ended) < steps:
        optimizer.step(closure)  # pyright: ignore[reportArgumentType]
    return bowl.between(last=steps - 1)
