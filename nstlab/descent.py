"""A run in progress: what each evaluation adds to it, and what the guards of its pictures say."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.guards import Guard
from nstlab.masks import choose
from nstlab.runs import Ended, OnStep, Run, Step
from nstlab.runtime import widest

BLOCK = 16  # evaluations whose losses are read together where reading makes the device wait
STATE = (  # what a checkpoint keeps, besides the guards
    *("losses", "frames", "messages", "seconds"),
    *("image", "best", "best_total", "scale"),
)


@runtime_checkable
class Differentiable(Protocol):
    """Anything that gives losses and gradient at a picture, such as `objective.Objective`."""

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Losses (b,) by name with their weighted sum as `total`, and d total / d image."""
        ...


class Descent:
    """The state of a run: the pictures, the best ones, losses, frames, messages, time.

    Losses stay on the device and are read in blocks, so that a GPU never waits for the host; on the
    CPU, or with a watcher, a block is one evaluation. Guards judge them then; the best pictures are
    kept on the device at each evaluation.

    Attributes:
        image: the pictures to evaluate next.
        best: for each picture of the batch the one of lowest total loss so far.
        scale: the number by which the objective is multiplied for the optimiser, 1 / mean
            |gradient at the start| for each picture of the batch.
        guards: one for each picture, or a single one where the method takes the batch as one.
        again: which pictures are to start anew from the best; read after each evaluation.
        over: how the run has ended, or None.
        leaving: how the run is to end after the step in progress, where a watcher asked for it.
    """

    def __init__(
        self,
        objective: Differentiable,
        image: Float[Tensor, "b 3 h w"],
        steps: int,
        frame_every: int = 0,
        on_step: OnStep | None = None,
        *,
        joint: bool = False,
    ) -> None:
        """Start at a picture; the arguments are those of `minimize`.

        With `joint` the batch is judged as one, by the sum of its losses.
        """
        self.objective, self.steps = objective, steps
        self.frame_every, self.on_step = frame_every, on_step
        self.image = image.detach().clone(memory_format=torch.contiguous_format)
        self.best = self.image.clone()
        self.best_total = torch.full_like(self.image[:, 0, 0, 0], torch.inf)
        self.scale = torch.ones_like(self.image[:, :1, :1, :1])
        self.guards = [Guard() for _ in range(1 if joint else len(image))]
        self.block = 1 if on_step or image.device.type == "cpu" or joint else BLOCK
        self.losses: dict[str, list[list[float]]] = {}
        self.frames: dict[int, Tensor] = {}
        self.messages: list[str] = []
        self.again: list[int] = []
        self.over: Ended | None = None
        self.leaving: Ended | None = None
        self._unread: list[Tensor] = []  # rows of numbers that are still on the device
        self._names: list[str] = []  # of these numbers, but for the last
        self._resting: Tensor | None = None  # which pictures have ended, once one has
        self._news = ""
        self._seconds_before, self._evaluations_before = 0.0, 0
        self._started = time.perf_counter()

    @property
    def evaluations(self) -> int:
        """Number of evaluations made, one more than steps."""
        return len(self.losses.get("total", ())) + len(self._unread)

    @property
    def seconds(self) -> float:
        """Time taken so far, parts before a resume included."""
        return self._seconds_before + time.perf_counter() - self._started

    def interrupt(self) -> None:
        """Let the run end after the step in progress."""
        self.leaving = "interrupted"

    def evaluate(self, image: Float[Tensor, "b 3 h w"]) -> tuple[Tensor, Tensor]:
        """Note the losses at a picture, keep it if it is the best, tell the watcher, and judge.

        What the guards decide stands in `again` and `over` afterwards.

        Args:
            image: the picture.

        Returns:
            The objective times `scale` for each picture, and its gradient.

        Raises:
            FloatingPointError: the loss of the start picture is not finite.
        """
        step, self.again = self.evaluations, []
        if self._resting is not None:  # those that have ended stay where they were best
            image = torch.where(self._resting, self.best, image)
        losses, gradient = self.objective.value_and_grad(image)
        total, steepest = losses["total"], _steepest(gradient)
        better = (total < self.best_total) & (total > -torch.inf) & (steepest < torch.inf)
        own = image is self.image  # no one changes it; scipy changes what it hands over
        seen = image.detach() if own else image.detach().clone()
        self.best = choose(better[:, None, None, None], seen, self.best)
        self.best_total = torch.where(better, total, self.best_total)
        wide, self._names = widest(image.device), list(losses)
        self._unread.append(torch.stack([*losses.values(), steepest]).to(wide))
        if step == 0:
            rows = gradient.abs().mean(3, keepdim=True)  # for the same bits in any batch
            size = rows.mean((1, 2), keepdim=True)
            self.scale = (1 / size.clamp(min=1e-30)).nan_to_num(1.0)
        if step == 0 or len(self._unread) >= self.block or step >= self.steps:
            self.read()
        if self.frame_every and (step % self.frame_every == 0 or step == self.steps):
            self.frames[step] = _as_bytes(self.best if step == self.steps else image)
        self._tell(image, step)
        return total * self.scale.flatten(), gradient * self.scale

    def read(self) -> None:
        """Read the losses that are still on the device, and let the guards judge them."""
        if not self._unread:
            return
        rows, self._unread = torch.stack(self._unread).tolist(), []
        first = self.evaluations
        for *values, _ in rows:
            for name, value in zip(self._names, values, strict=True):
                self.losses.setdefault(name, []).append(value)
        totals, slopes = self.losses["total"][first:], [row[-1] for row in rows]
        if len(self.guards) < len(self.image):
            totals, slopes = [[sum(row)] for row in totals], [[max(row)] for row in slopes]
        for number, guard in enumerate(self.guards):
            if guard.ended is None:
                self._judge(number, first, totals, slopes)
        ended: list[Ended | None] = [guard.ended for guard in self.guards]
        if any(ended) and len(ended) == len(self.image):
            mask = torch.tensor([each is not None for each in ended])
            self._resting = mask.to(self.image.device)[:, None, None, None]
        if self.evaluations <= self.steps and all(ended):
            self.over = _common([each or "finished" for each in ended])
        if self.over is None and self.evaluations > self.steps:
            self.over = "finished"

    def _judge(
        self, number: int, first: int, totals: list[list[float]], slopes: list[list[float]]
    ) -> None:
        """Show one picture's losses to its guard, up to the first that calls for action.

        What was evaluated between that and the reading was still on the way that is given up.
        """
        guard = self.guards[number]
        for step, (row, steepest) in enumerate(zip(totals, slopes, strict=True), first):
            loss, slope = row[number], steepest[number]
            finite = _finite(loss) and _finite(slope)
            said = guard.judge(step, loss, finite=finite, flat=slope == 0)
            if step == 0 and not finite:
                guard.ended = "failed"
                said = f"the loss of the start picture is {loss} and its gradient is " + (
                    f"{'' if _finite(slope) else 'not '}finite; check the weights of the terms "
                    "and of the encoder for values that are not finite"
                )
                if len(self.guards) == 1:
                    raise FloatingPointError(said)
            if said:
                which = f"picture {number + 1}, " if len(self.guards) > 1 else ""
                self.note(f"{which}step {step}: {said}")
            if guard.ended is not None:
                guard.ended_at = self.evaluations - 1
                return
            if said:
                self.again.append(number)
                return

    def _tell(self, image: Tensor, step: int) -> None:
        if self.on_step is None:
            return
        made = self.evaluations - self._evaluations_before
        pace = (time.perf_counter() - self._started) / made
        news, self._news = self._news, ""
        told = Step(
            step=step,
            steps=self.steps,
            losses={name: tuple(rows[-1]) for name, rows in self.losses.items()},
            image=image.detach().clone(),
            seconds=self.seconds,
            seconds_left=pace * (self.steps - step),
            message=news,
        )
        try:
            self.on_step(told)
        except StopIteration:
            self.leaving = "stopped"

    def note(self, message: str) -> None:
        """Keep a message, and hand it to the watcher at the next step."""
        self.messages.append(message)
        self._news = message

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on."""
        self.read()
        state = {name: getattr(self, name) for name in STATE}
        return {**state, "guards": [asdict(guard) for guard in self.guards]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `state_dict` gave."""
        for name in STATE:
            value = state[name]
            if name == "seconds":
                self._seconds_before = value
            else:
                live = isinstance(value, Tensor)
                setattr(self, name, value.to(self.image.device) if live else value)
        self.guards = [Guard(**each) for each in state["guards"]]
        self._evaluations_before = self.evaluations

    def run(self, ended: Ended, recipe: dict[str, Any]) -> Run:
        """The record of what was done so far, on the CPU."""
        self.read()
        whole = min(map(len, self.losses.values()), default=0)  # Ctrl-C may cut an evaluation
        several = self.guards * (len(self.best) // len(self.guards))
        return Run(
            image=self.best.detach().cpu().clone(),
            losses={
                name: torch.tensor(rows[:whole], dtype=torch.float64)
                for name, rows in self.losses.items()
            },
            frames=self.frames,
            ended=ended,
            endings=tuple(each.ended or ended for each in several),
            lengths=tuple(each.ended_at + 1 if each.ended else whole for each in several),
            seconds=self.seconds,
            messages=tuple(self.messages),
            recipe=recipe,
        )


def _steepest(gradient: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
    """The largest absolute value of each picture; nan where one is nan."""
    rows = gradient.flatten(1)  # along a dimension a CPU is slow with torch.aminmax, and with norms
    return torch.maximum(rows.amax(1), -rows.amin(1))


def _finite(number: float) -> bool:
    return number - number == 0


def _common(endings: list[Ended]) -> Ended:
    return endings[0] if len(set(endings)) == 1 else "finished"


def _as_bytes(image: Tensor) -> Tensor:
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
