"""The state of a training, and one step of it."""

import json
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.distill.crops import Crops
from nstlab.distill.lessons import Lesson, Training, taught_channels
from nstlab.distill.matching import feature_error, gram_distance_error, log_distance_ratio
from nstlab.distill.rivals import Rivals
from nstlab.distill.student import Student
from nstlab.encoders import Encoder
from nstlab.fitting import random_weights
from nstlab.gram import gram_matrix

LARGEST_GRADIENT = 1.0  # norm to which gradients are cut
OFFSET_RATE = 0.05  # learning rate of the offsets, which are plain numbers
MEASURED = 4  # batches from which the teachers' scales and the first heads come
HEADS_FIRST = 100  # updates of the heads alone, where the student has learned before
HEADS_RATE = 3e-3


class School:
    """Student, optimiser, rivals, and the errors so far.

    Attributes:
        student: what learns.
        scales: taught layer to 1 / √(mean variance of the teacher's channels).
        step: steps done.
        seconds: that they took.
        errors: name of an error to its value before each step.
        agreement: with the teachers on held-out pictures; step to values.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        training: Training,
        crops: Crops,
        start: Encoder | None,
        device: torch.device,
    ) -> None:
        """Make a student, at random or from an encoder, which is copied."""
        taught = taught_channels(lessons)
        self.lessons, self.training, self.crops, self.device = lessons, training, crops, device
        if start is None:
            weights = random_weights("lite", training.seed, training.widths)
        elif (start.pooling, start.padding) != ("max", "zeros"):
            raise ValueError(
                f"the encoder to go on from has {start.pooling} pooling and {start.padding} at its "
                "edges; a student has max pooling and zeros"
            )
        else:
            weights = start.state_dict()
        self.student = Student(Encoder("lite", weights).to(device), taught)
        self.scales = dict.fromkeys(taught, 1.0)
        self.rivals = Rivals(training.rivals, tuple(taught), training.seed)
        if training.kept is not None:
            self.student.keep(training.kept)
        offsets = list(self.student.offsets.parameters())
        others = [*self.student.encoder.parameters(), *self.student.heads.parameters()]
        self.optimizer = torch.optim.AdamW(
            [{"params": others}, {"params": offsets, "weight_decay": 0.0}],
            weight_decay=training.weight_decay,
        )
        total = max(3, training.steps)  # fewer have no rise and fall
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=[training.learning_rate, OFFSET_RATE],
            total_steps=total,
            pct_start=max(0.1, 2 / total),  # a tenth, but at least one step
        )
        self.goes_on = start is not None
        self.step, self.seconds = 0, 0.0
        self.errors: dict[str, list[float]] = {}
        self.agreement: dict[int, dict[str, float]] = {}

    @torch.no_grad()
    def measure(self) -> None:
        """Take the teachers' scales, and the first heads and offsets, from some batches."""
        batches = [self._crops(-1 - i) for i in range(MEASURED)]
        targets = [self._targets(batch) for batch in batches]
        features = [self.student(batch) for batch in batches]
        for name in self.scales:
            variances = [each[name].var(dim=(0, 2, 3)).mean() for each in targets]
            self.scales[name] = float(torch.stack(variances).mean().clamp_min(1e-20).rsqrt())
        scaled = [{n: each[n] * self.scales[n] for n in each} for each in targets]
        self.student.fit_heads(features, scaled)
        for name in self.scales:
            ratios = [
                log_distance_ratio(gram_matrix(ours[name]), gram_matrix(theirs[name]))
                for ours, theirs in zip(features, scaled, strict=True)
            ]
            self.student.offsets[name].copy_(torch.stack(ratios).mean())
        if self.goes_on:
            self._train_heads()

    def _train_heads(self) -> None:
        """Let the heads catch up with a student that is ahead, or their errors would undo it."""
        optimizer = torch.optim.Adam(self.student.heads.parameters(), lr=HEADS_RATE)
        for i in range(HEADS_FIRST):
            crops = self._crops(-1 - MEASURED - i)
            targets, features = self._targets(crops), self.student(crops)
            with torch.enable_grad():
                errors = [
                    feature_error(
                        self.student.led(name, features[name]), target * self.scales[name]
                    )
                    for name, target in targets.items()
                ]
                optimizer.zero_grad()
                torch.stack(errors).sum().backward()
            optimizer.step()

    def advance(self) -> dict[str, float]:
        """Update the weights once.

        Returns:
            The errors before.

        Raises:
            FloatingPointError: they are not finite any more.
        """
        crops = self._crops(self.step)
        if self.training.rivals:
            crops[:2] = self.rivals.next(self.student.encoder, self.step, crops[:2])
        errors = self._errors(crops)
        distances = torch.stack([errors[f"{name} gram"] for name in self.scales]).mean()
        features = torch.stack([errors[name] for name in self.scales]).mean()
        loss = features + self.training.gram_weight * distances
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), LARGEST_GRADIENT)
        found = {name: error.item() for name, error in errors.items()}
        if not all(value < float("inf") for value in found.values()):
            raise FloatingPointError(
                f"the errors are not finite any more at step {self.step}; try a learning rate "
                f"below {self.training.learning_rate}"
            )
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        for name, value in found.items():
            self.errors.setdefault(name, []).append(value)
        return found

    def frozen(self) -> Encoder:
        """A copy of the student, on the CPU, to use."""
        weights = {name: t.cpu() for name, t in self.student.encoder.state_dict().items()}
        return Encoder("lite", weights, weights_name="distilled")

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed training needs."""
        return {
            "student": self.student.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rivals": self.rivals.state_dict(),
            "numbers": json.dumps([self.scales, self.errors, list(self.agreement.items())]),
            "step": self.step,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was called."""
        self.student.load_state_dict(state["student"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.rivals.load_state_dict([_on(self.device, each) for each in state["rivals"]])
        self.scales, self.errors, agreement = json.loads(state["numbers"])
        self.agreement = dict(agreement)
        self.step, self.seconds = state["step"], state["seconds"]

    def _crops(self, step: int) -> Float[Tensor, "b 3 h w"]:
        return self.crops.batch(step, self.training.batch).to(self.device)

    @torch.no_grad()
    def _targets(self, crops: Float[Tensor, "b 3 h w"]) -> dict[str, Tensor]:
        found = {}
        for lesson in self.lessons:
            found |= lesson.teacher(crops, lesson.layers)
        return found

    def _errors(self, crops: Float[Tensor, "b 3 h w"]) -> dict[str, Tensor]:
        targets, features = self._targets(crops), self.student(crops)
        errors: dict[str, Tensor] = {}
        for name, target in targets.items():
            scaled = target * self.scales[name]
            errors[name] = feature_error(self.student.led(name, features[name]), scaled)
            ours, theirs = gram_matrix(features[name]), gram_matrix(scaled)
            errors[f"{name} gram"] = gram_distance_error(ours, theirs, self.student.offsets[name])
        return errors


def _on(device: torch.device, rival: dict[str, Any] | None) -> dict[str, Any] | None:
    """A rival out of a checkpoint, which is read to the CPU, where the training is."""
    if rival is None:
        return None
    return {key: v.to(device) if isinstance(v, Tensor) else v for key, v in rival.items()}
