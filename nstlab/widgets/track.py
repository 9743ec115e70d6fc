"""What a steered run has been so far, and what there is to see of it at one time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.runs import Run

State = Literal["ready", "running", "paused", "finished", "stopped", "failed"]
KEPT = 20  # pictures to go back to, evenly over the steps planned


@dataclass(frozen=True)
class Moment:
    """What there is to see at one time.

    Attributes:
        state: `ready` before the first start, `running`, `paused`, `finished` all steps, `stopped`
            before, or `failed`.
        step: steps made.
        steps: steps planned.
        image: the picture (1, 3, h, w), RGB; None before the first evaluation.
        losses: terms' values so far, without their weights.
        pace: seconds for a step, those lately made; None while that is unknown.
        message: one sentence where something is to be said, else empty.
    """

    state: State
    step: int
    steps: int
    image: Float[Tensor, "1 3 h w"] | None
    losses: dict[str, list[float]]
    pace: float | None
    message: str = ""

    @property
    def seconds_left(self) -> float | None:
        """What the steps left will take at this pace."""
        return None if self.pace is None else self.pace * max(0, self.steps - self.step)


@dataclass(frozen=True)
class Kept:
    """A picture to go back to, and how many steps led to it."""

    step: int
    image: Float[Tensor, "1 3 h w"]


@dataclass
class Track:
    """The run so far, over all its parts.

    Attributes:
        step: steps made.
        image: the picture after them; None before the first evaluation.
        losses: by term, without weights; a number for the start and for each step. `total` is
            another sum after each change of a weight.
        kept: pictures to go back to.
        steered: what was changed on the way, each change with the step at which it was made.
        seconds: time spent on steps.
    """

    step: int = 0
    image: Float[Tensor, "1 3 h w"] | None = None
    losses: dict[str, list[float]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    steered: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def add(
        self, step: int, image: Float[Tensor, "1 3 h w"], losses: Mapping[str, tuple[float, ...]]
    ) -> None:
        """Take in an evaluation; the first one of a further part repeats a step and is not new.

        A term that comes in later has no values before, one that leaves has none after: NaN.

        Args:
            step: steps made in all.
            image: the picture.
            losses: values by term for a batch of one.
        """
        self.image = image
        if self.losses and step <= self.step:
            return
        self.step = step
        for name in {**self.losses, **losses}:
            values = self.losses.setdefault(name, [])
            values += [torch.nan] * (step - len(values))
            values.append(losses[name][0] if name in losses else torch.nan)

    def keep(self, steps: int) -> None:
        """Remember the picture if it is time to.

        Args:
            steps: steps planned.
        """
        if self.image is not None and self.step % -(-steps // KEPT) == 0:
            before = [each for each in self.kept if each.step < self.step]
            self.kept = [*before, Kept(self.step, self.image)][-KEPT - 1 :]

    def back(self) -> bool:
        """Go back to the last picture kept before this one.

        Returns:
            Whether there was one.
        """
        earlier = [each for each in self.kept if each.step < self.step]
        if not earlier:
            return False
        self.kept, self.step, self.image = earlier, earlier[-1].step, earlier[-1].image
        self.losses = {name: values[: self.step + 1] for name, values in self.losses.items()}
        return True

    def record(self, recipe: Mapping[str, Any], finished: bool) -> Run | None:
        """The run as a record; what was steered stands in its recipe.

        Args:
            recipe: of the part in progress.
            finished: whether all steps were made.

        Returns:
            The run; None before the first evaluation.
        """
        if self.image is None:
            return None
        steered = {"steered": [dict(each) for each in self.steered]} if self.steered else {}
        losses = {name: torch.tensor(v).double()[:, None] for name, v in self.losses.items()}
        shape = self.image.shape
        frames = {k.step: _as_bytes(k.image) for k in self.kept if k.image.shape == shape}
        return Run(
            image=self.image.detach().cpu(),
            losses=losses,
            frames=frames | {self.step: _as_bytes(self.image)},
            ended="finished" if finished else "stopped",
            seconds=self.seconds,
            recipe={**recipe, **steered},
        )


def _as_bytes(image: Tensor) -> Tensor:
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
