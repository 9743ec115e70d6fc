"""A run in progress: what each evaluation adds to it, and the guards that keep it from harm."""

import time
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.runs import Ended, OnStep, Run, Step

PATIENCE = 60  # steps without a lower loss after which a run is started anew, then ended
RESTARTS = 5  # fresh starts from the best picture before a run is given up
EXPLODED = 2.0  # a total this many times the start's means that the steps lead away …
LED_AWAY = 8  # … if so many in a row do; L-BFGS takes a few steps to mend one by itself
STATE = (  # what a checkpoint keeps
    *("losses", "frames", "messages", "best_step", "restarts", "stalls", "high", "seconds"),
    *("image", "best", "best_total", "scale"),
)


@runtime_checkable
class Differentiable(Protocol):
    """Anything that gives losses and gradient at a picture, such as `objective.Objective`."""

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Losses (b,) by name with their weighted sum as `total`, and d total / d image."""
        ...


class End(Exception):
    """Raised to leave the loop."""

    def __init__(self, how: Ended) -> None:
        super().__init__(how)
        self.how: Ended = how


class Restart(Exception):
    """Raised to go back to the best picture with an empty memory and smaller steps."""


class Descent:
    """The state of a run: the picture, the best one, losses, frames, messages, time.

    Attributes:
        image: the picture to evaluate next.
        best: for each picture of the batch the one of lowest total loss so far.
        scale: the number by which the objective is multiplied for the optimiser, 1 / mean
            |gradient at the start| for each picture of the batch.
        leaving: how the run is to end after the step in progress, where a watcher asked for it.
    """

    def __init__(
        self,
        objective: Differentiable,
        image: Float[Tensor, "b 3 h w"],
        steps: int,
        frame_every: int = 0,
        on_step: OnStep | None = None,
    ) -> None:
        """Start at a picture; the arguments are those of `minimize`."""
        self.objective, self.steps = objective, steps
        self.frame_every, self.on_step = frame_every, on_step
        self.image = image.detach().clone(memory_format=torch.contiguous_format)
        self.best = self.image.clone()
        self.best_total = torch.full_like(self.image[:, 0, 0, 0], torch.inf)
        self.scale = torch.ones_like(self.image[:, :1, :1, :1])
        self.best_step, self.restarts, self.stalls, self.high = 0, 0, 0, 0
        self.losses: dict[str, list[list[float]]] = {}
        self.frames: dict[int, Tensor] = {}
        self.messages: list[str] = []
        self.leaving: Ended | None = None
        self._news = ""
        self._seconds_before, self._evaluations_before = 0.0, 0
        self._started = time.perf_counter()

    @property
    def evaluations(self) -> int:
        """Number of evaluations made, one more than steps."""
        return len(self.losses.get("total", ()))

    @property
    def seconds(self) -> float:
        """Time taken so far, parts before a resume included."""
        return self._seconds_before + time.perf_counter() - self._started

    def interrupt(self) -> None:
        """Let the run end after the step in progress."""
        self.leaving = "interrupted"

    def evaluate(self, image: Float[Tensor, "b 3 h w"]) -> tuple[Tensor, Tensor]:
        """Note the losses at a picture, keep it if it is the best, tell the watcher, and judge.

        Args:
            image: the picture.

        Returns:
            The objective times `scale`, summed over the batch, and its gradient.

        Raises:
            End: all steps are made, or no gradient is left, or nothing helps any more.
            Restart: the steps led away, or nowhere.
            FloatingPointError: the loss of the start picture is not finite.
        """
        losses, gradient = self.objective.value_and_grad(image)
        total, step = losses["total"], self.evaluations
        fine = torch.isfinite(total) & torch.isfinite(gradient).flatten(1).all(1)
        row = {name: value.tolist() for name, value in losses.items()}
        for name, values in row.items():
            self.losses.setdefault(name, []).append(values)
        self._keep_best(image, torch.where(fine, total, torch.inf), step)
        finite = bool(fine.all())
        if self.frame_every and (step % self.frame_every == 0 or step == self.steps):
            self.frames[step] = _as_bytes(image)
        self._tell(image, losses, step)
        if step == 0:
            if not finite:
                raise FloatingPointError(
                    f"the loss of the start picture is {total.tolist()} and its gradient is "
                    f"{'' if torch.isfinite(gradient).all() else 'not '}finite; check the weights "
                    "of the terms and of the encoder for values that are not finite"
                )
            size = gradient.abs().mean((1, 2, 3), keepdim=True)
            self.scale = 1 / size.clamp(min=1e-30)
        self._judge(total, gradient, step, finite)
        return (total * self.scale.flatten()).sum(), gradient * self.scale

    def _keep_best(self, image: Tensor, total: Tensor, step: int) -> None:
        better = total < self.best_total
        self.best = torch.where(better[:, None, None, None], image.detach(), self.best)
        self.best_total = torch.where(better, total, self.best_total)
        if bool(better.any()):
            self.best_step = step

    def _tell(self, image: Tensor, losses: Mapping[str, Tensor], step: int) -> None:
        if self.on_step is None:
            return
        made = self.evaluations - self._evaluations_before
        pace = (time.perf_counter() - self._started) / made
        news, self._news = self._news, ""
        told = Step(
            step=step,
            steps=self.steps,
            losses={name: tuple(value.tolist()) for name, value in losses.items()},
            image=image.detach().clone(),
            seconds=self.seconds,
            seconds_left=pace * (self.steps - step),
            message=news,
        )
        try:
            self.on_step(told)
        except StopIteration:
            self.leaving = "stopped"

    def _judge(self, total: Tensor, gradient: Tensor, step: int, finite: bool) -> None:
        if step >= self.steps:
            raise End("finished")
        if finite and not bool((gradient != 0).any()):
            raise End("converged")
        start = self.losses["total"][0]
        high = any(now > EXPLODED * then for now, then in zip(total.tolist(), start, strict=True))
        self.high = self.high + 1 if high else 0
        if not finite or self.high == LED_AWAY:
            self.high = 0
            self.restarts += 1
            reason = f"the loss is {sum(total.tolist()):.3g}, at the start it was {sum(start):.3g}"
            if torch.isfinite(total).all() and not finite:
                reason = "the gradient is not finite"
            self._go_back(reason, step, None if self.restarts <= RESTARTS else "failed")
        if step - self.best_step >= PATIENCE:
            self.stalls += 1
            reason = f"no lower loss in {PATIENCE} steps"
            self._go_back(reason, step, None if self.stalls <= 1 else "stalled")

    def _go_back(self, reason: str, step: int, ended: Ended | None) -> None:
        if ended is not None:
            self.messages.append(f"step {step}: {reason}; ended with the best picture so far")
            raise End(ended)
        self.note(f"step {step}: {reason}; back to the best picture, with smaller steps")
        self.best_step = step  # patience counts from here
        raise Restart

    def note(self, message: str) -> None:
        """Keep a message, and hand it to the watcher at the next step."""
        self.messages.append(message)
        self._news = message

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        for name in STATE:
            value = state[name]
            if name == "seconds":
                self._seconds_before = value
            else:
                live = isinstance(value, Tensor)
                setattr(self, name, value.to(self.image.device) if live else value)
        self._evaluations_before = self.evaluations

    def run(self, ended: Ended, recipe: dict[str, Any]) -> Run:
        """The record of what was done so far, on the CPU."""
        whole = min(map(len, self.losses.values()), default=0)  # Ctrl-C may cut an evaluation
        return Run(
            image=self.best.detach().cpu().clone(),
            losses={
                name: torch.tensor(rows[:whole], dtype=torch.float64)
                for name, rows in self.losses.items()
            },
            frames=self.frames,
            ended=ended,
            seconds=self.seconds,
            messages=tuple(self.messages),
            recipe=recipe,
        )


def _as_bytes(image: Tensor) -> Tensor:
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
