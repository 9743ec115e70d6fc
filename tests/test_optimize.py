"""The loop: known minima, torch's own L-BFGS as the oracle, guards, watching, resuming."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch
from torch import Tensor

from nstlab import checkpoints, guards
from nstlab.checkpoints import RecordError
from nstlab.descent import Descent
from nstlab.lbfgs import FIRST_STEP, LBFGS
from nstlab.optimize import OPTIMIZERS, Optimizer, minimize
from nstlab.runs import Run, Step
from nstlab.runtime import generator
from nstlab.steppers import Adam, GradientDescent, Stepper


class Bowl:
    """Σ curvature · (x − target)², whose minimum is known."""

    def __init__(self, target: Tensor, curvature: Tensor | float = 1.0, scale: float = 1.0) -> None:
        self.target, self.curvature, self.scale = target, curvature, scale

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        difference = image - self.target
        loss = self.scale * (self.curvature * difference.square()).flatten(1).sum(1)
        return {"bowl": loss, "total": loss}, 2 * self.scale * self.curvature * difference


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=generator(seed), dtype=torch.float64)


@pytest.fixture
def start() -> Tensor:
    return random(1, 3, 6, 7, seed=1)


@pytest.fixture
def bowl() -> Bowl:
    return Bowl(random(1, 3, 6, 7, seed=2), 0.1 + random(1, 3, 6, 7, seed=3))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_every_optimiser_reaches_the_minimum_at_every_scale(
    optimizer: Optimizer, scale: float, bowl: Bowl, start: Tensor
) -> None:
    bowl.scale = scale
    steps = {"lbfgs": 60, "scipy": 60, "adam": 400, "gradient_descent": 400}[optimizer]
    run = minimize(bowl, start, steps=steps, optimizer=optimizer)
    assert run.curve()[-1] < 1e-3 * run.curve()[0]
    assert (run.image - bowl.target).abs().max() < 0.05
    assert run.ended in ("finished", "stalled", "converged")


def test_lbfgs_takes_the_steps_of_torchs_own(bowl: Bowl, start: Tensor) -> None:
    run = minimize(bowl, start, steps=20, preconditioner="none")
    point = start.clone().requires_grad_()
    _, gradient = bowl.value_and_grad(start)
    scale = 1 / gradient.abs().mean()
    oracle = torch.optim.LBFGS(
        [point], max_iter=1, history_size=10, tolerance_grad=-1, tolerance_change=-1
    )
    losses = []

    def closure() -> Tensor:
        total, slope = bowl.value_and_grad(point.detach())
        point.grad = slope * scale
        losses.append(total["total"].item())
        return total["total"].sum() * scale

    for step in range(21):
        oracle.param_groups[0]["lr"] = FIRST_STEP * point.numel() if step == 0 else 1.0
        oracle.step(closure)
    assert run.curve() == pytest.approx(losses, rel=1e-9)


def test_the_first_step_changes_a_pixel_by_a_sensible_amount(bowl: Bowl, start: Tensor) -> None:
    for scale in (1e-9, 1e9):
        bowl.scale = scale
        seen: list[Step] = []
        minimize(bowl, start, steps=1, on_step=seen.append)
        change = (seen[1].image - seen[0].image).abs().mean().item()
        assert change == pytest.approx(FIRST_STEP, rel=1e-6)


def test_steps_losses_and_frames_are_counted_from_the_start_picture(
    bowl: Bowl, start: Tensor
) -> None:
    seen: list[Step] = []
    run = minimize(bowl, start, steps=10, frame_every=4, on_step=seen.append)
    assert run.steps == 10
    assert [step.step for step in seen] == list(range(11))
    assert all(step.steps == 10 for step in seen)
    assert list(run.frames) == [0, 4, 8, 10]
    assert torch.equal(seen[0].image, start)
    assert torch.equal(run.frames[0], (start * 255).round().to(torch.uint8))
    assert torch.equal(run.frames[8], (seen[8].image.clamp(0, 1) * 255).round().to(torch.uint8))
    assert run.curve() == [step.losses["total"][0] for step in seen]
    assert run.curve()[0] == bowl.value_and_grad(start)[0]["total"].item()
    assert seen[-1].seconds_left == 0
    assert seen[5].seconds_left > 0
    assert run.seconds >= seen[-1].seconds >= seen[0].seconds >= 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_result_is_the_best_picture_seen(
    optimizer: Optimizer, bowl: Bowl, start: Tensor
) -> None:
    run = minimize(bowl, start, steps=15, optimizer=optimizer)
    found = bowl.value_and_grad(run.image)[0]["total"].item()
    assert found == pytest.approx(min(run.curve()), rel=1e-5)


def test_each_picture_of_a_batch_keeps_its_own_best() -> None:
    starts, targets = random(2, 3, 4, 4), random(2, 3, 4, 4, seed=5)
    run = minimize(Bowl(targets), starts, steps=8, optimizer="adam", learning_rate=0.3)
    for index in range(2):
        found = Bowl(targets).value_and_grad(run.image)[0]["total"][index].item()
        assert found == pytest.approx(min(run.curve(index=index)), rel=1e-12)


def test_the_start_is_not_changed(bowl: Bowl, start: Tensor) -> None:
    before = start.clone()
    minimize(bowl, start, steps=5)
    assert torch.equal(start, before)


class Poisoned(Bowl):
    """A bowl whose loss is not a number from the n-th evaluation on, or only at it."""

    def __init__(self, target: Tensor, at: Callable[[int], bool]) -> None:
        super().__init__(target, 0.1 + random(*target.shape, seed=3))
        self.at, self.evaluations = at, 0

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        losses, gradient = super().value_and_grad(image)
        bad = self.at(self.evaluations)
        self.evaluations += 1
        return (
            ({**losses, "total": losses["total"] * torch.nan}, gradient)
            if bad
            else (losses, gradient)
        )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_after_a_nan_the_run_goes_on_from_the_best_picture(
    optimizer: Optimizer, start: Tensor
) -> None:
    target = random(1, 3, 6, 7, seed=2)
    told: list[str] = []
    run = minimize(
        Poisoned(target, lambda k: k == 3),
        start,
        steps=200,
        optimizer=optimizer,
        on_step=lambda step: told.append(step.message),
    )
    assert len(run.messages) >= 1
    assert "step 3" in run.messages[0]
    assert "back to the best picture" in run.messages[0]
    assert next(text for text in told if text) == run.messages[0]
    assert torch.isfinite(run.image).all()
    assert min(run.curve()[4:]) < min(run.curve()[:3])


def test_a_run_that_stays_broken_ends_and_keeps_the_picture(start: Tensor) -> None:
    run = minimize(Poisoned(random(1, 3, 6, 7), lambda k: k >= 3), start, steps=100)
    assert run.ended == "failed"
    assert len(run.messages) == guards.RESTARTS + 1
    assert "ended with the best picture" in run.messages[-1]
    assert torch.isfinite(run.image).all()
    assert not torch.equal(run.image, start)


def test_a_start_whose_loss_is_not_finite_is_refused(start: Tensor) -> None:
    with pytest.raises(FloatingPointError, match="start picture is"):
        minimize(Poisoned(start, lambda _: True), start, steps=5)


def test_steps_that_lead_away_are_taken_back(bowl: Bowl, start: Tensor) -> None:
    run = minimize(bowl, start, steps=300, optimizer="gradient_descent", learning_rate=10.0)
    assert "the loss is" in run.messages[0]
    assert run.ended != "failed"
    assert min(run.curve()) < 0.1 * run.curve()[0]


class Flat(Bowl):
    """Always the same loss, with a gradient that leads nowhere."""

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        return {"total": torch.ones(len(image), dtype=image.dtype)}, torch.ones_like(image)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient_descent"])
def test_a_stall_is_noticed(optimizer: Optimizer, start: Tensor) -> None:
    run = minimize(Flat(start), start, steps=1000, optimizer=optimizer)
    assert run.ended == "stalled"
    assert run.steps == 2 * guards.PATIENCE
    assert torch.equal(run.image, start)
    assert "no lower loss" in run.messages[0]


def test_no_gradient_is_the_end(start: Tensor) -> None:
    run = minimize(Bowl(start), start, steps=10)
    assert run.ended == "converged"
    assert run.steps == 0
    assert torch.equal(run.image, start)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_watcher_can_stop_the_run(optimizer: Optimizer, bowl: Bowl, start: Tensor) -> None:
    def stop(step: Step) -> None:
        if step.step == 4:
            raise StopIteration

    run = minimize(bowl, start, steps=50, optimizer=optimizer, on_step=stop)
    assert run.ended == "stopped"
    assert run.steps == 4


def test_what_a_watcher_raises_reaches_the_caller(bowl: Bowl, start: Tensor) -> None:
    def fail(_step: Step) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        minimize(bowl, start, steps=5, on_step=fail)
    assert torch.equal(caught.value.run.image, start)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_ctrl_c_ends_the_run_and_gives_the_handler_back(
    optimizer: Optimizer, bowl: Bowl, start: Tensor
) -> None:
    def press(step: Step) -> None:
        if step.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    run = minimize(bowl, start, steps=50, optimizer=optimizer, on_step=press)
    assert run.ended == "interrupted"
    assert run.steps in (4, 5)
    assert min(run.curve()) < run.curve()[0]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient_descent"])
def test_ctrl_c_within_the_optimisers_step_still_leaves_a_checkpoint(
    optimizer: Optimizer, bowl: Bowl, start: Tensor, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    kind = {"lbfgs": LBFGS, "adam": Adam, "gradient_descent": GradientDescent}[optimizer]
    advance, calls = kind.advance, []

    def pressed(self: Stepper, loss: Tensor, gradient: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return advance(self, loss, gradient)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(kind, "advance", pressed)
    place = tmp_path / "c"
    run = minimize(bowl, start, steps=50, optimizer=optimizer, checkpoint=place)
    assert run.ended == "interrupted"
    assert run.steps in (3, 4)
    assert place.exists()


def test_the_last_frame_is_the_picture_that_is_returned(bowl: Bowl, start: Tensor) -> None:
    class Jump(Bowl):
        calls = 0

        def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
            self.calls += 1
            losses, gradient = super().value_and_grad(image)
            if self.calls > 10:  # as where rounding leads away at the very end
                losses["total"] = losses["total"] + 1.0
            return losses, gradient

    jump = Jump(bowl.target)
    run = minimize(jump, start, steps=10, optimizer="gradient_descent", frame_every=5)
    assert run.curve()[10] > run.curve()[9]
    assert torch.equal(run.frames[10], (run.image.clamp(0, 1) * 255).round().to(torch.uint8))


def same(one: Run, other: Run) -> bool:
    return (
        torch.equal(one.image, other.image)
        and one.losses.keys() == other.losses.keys()
        and all(torch.equal(one.losses[name], other.losses[name]) for name in one.losses)
        and one.frames.keys() == other.frames.keys()
        and all(torch.equal(one.frames[step], other.frames[step]) for step in one.frames)
        and one.messages == other.messages
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_resumed_run_has_the_same_bits(
    optimizer: Optimizer, bowl: Bowl, start: Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "run.checkpoint"
    whole = minimize(bowl, start, steps=230, optimizer=optimizer, frame_every=7)

    def stop_at(limit: int) -> Callable[[Step], None]:
        def stop(step: Step) -> None:
            if step.step == limit:
                raise StopIteration

        return stop

    for limit in (13, 150, 1000):
        run = minimize(
            bowl,
            start,
            steps=230,
            optimizer=optimizer,
            frame_every=7,
            checkpoint=path,
            checkpoint_every=10,
            on_step=stop_at(limit),
        )
        stopped = run.ended == "stopped"
        assert path.exists() == (stopped and not (optimizer == "scipy" and limit == 13))
    assert same(run, whole)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_run_is_refused(bowl: Bowl, start: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"

    def stop(step: Step) -> None:
        if step.step == 5:
            raise StopIteration

    def go(size: int) -> Run:
        recipe = {"settings": {"size": size}}
        return minimize(bowl, start, steps=9, checkpoint=path, on_step=stop, recipe=recipe)

    go(6)
    with pytest.raises(RecordError, match=r"settings.size: was 6, is 7"):
        go(7)
    assert go(6).steps == 9
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(RecordError, match="damaged"):
        go(6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"history": 0}, "history is 0"),
        ({"frame_every": -1}, "frame_every is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0"),
        ({"optimizer": "sgd"}, "unknown optimiser 'sgd'.*gradient_descent"),
    ],
)
def test_mistakes_are_named(
    wrong: dict, message: str, bowl: Bowl, start: Tensor, unchecked_types: None
) -> None:
    with pytest.raises(ValueError, match=message):
        minimize(bowl, start, **{"steps": 5, **wrong})


def test_a_start_that_is_no_picture_is_refused(bowl: Bowl, unchecked_types: None) -> None:
    with pytest.raises(ValueError, match="RGB"):
        minimize(bowl, torch.rand(3, 6, 7), steps=5)


def test_a_full_disk_does_not_cost_the_run(
    bowl: Bowl, start: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/secret/folder/run.checkpoint")

    monkeypatch.setattr(checkpoints, "write_checkpoint", full)
    told: list[str] = []
    run = minimize(
        bowl,
        start,
        steps=30,
        checkpoint=tmp_path / "run.checkpoint",
        checkpoint_every=10,
        on_step=lambda step: told.append(step.message),
    )
    assert run.ended == "finished"
    assert run.steps == 30
    assert len(run.messages) == 1
    assert "No space left" in run.messages[0]
    assert "secret" not in run.messages[0]
    assert run.messages[0] in told


def test_checkpoints_cost_little_time(tmp_path: Path) -> None:
    image, target = torch.rand(1, 3, 288, 384), torch.rand(1, 3, 288, 384)
    written: list[float] = []

    class Timed(checkpoints.Checkpointer):
        def write(self, step: int, state: Callable) -> None:
            began = time.perf_counter()
            super().write(step, state)
            written.append(time.perf_counter() - began)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nstlab.optimize.Checkpointer", Timed)
        bowl = Bowl(target, 0.1 + torch.rand(1, 3, 288, 384))
        path = tmp_path / "run.checkpoint"
        minimize(bowl, image, steps=40, frame_every=4, checkpoint=path, checkpoint_every=10)
    share = max(written[2:]) / checkpoints.CHECKPOINT_SECONDS  # the memory is full by then
    print(f"a checkpoint takes {max(written):.3f} s, {share:.2%} of the time between two")
    assert len(written) == 4
    assert share < 0.02


def test_the_checkpoint_stays_where_it_is_wanted(bowl: Bowl, start: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    options = {"steps": 20, "checkpoint": path, "checkpoint_every": 5}
    run = minimize(bowl, start, keep_checkpoint=True, **options)
    assert path.exists()
    assert same(minimize(bowl, start, keep_checkpoint=True, **options), run)
    assert path.exists()
    assert same(minimize(bowl, start, **options), run)
    assert not path.exists()


def test_a_checkpoint_of_another_method_is_refused(
    bowl: Bowl, start: Tensor, tmp_path: Path
) -> None:
    options = {"steps": 20, "checkpoint": tmp_path / "c", "checkpoint_every": 5}
    minimize(bowl, start, keep_checkpoint=True, **options)
    with pytest.raises(RecordError, match=r"loop\.optimizer: was 'lbfgs', is 'adam'"):
        minimize(bowl, start, optimizer="adam", **options)
    with pytest.raises(RecordError, match=r"loop\.shape"):
        minimize(Bowl(start[..., :5]), start[..., :5], **options)


def test_a_resume_under_other_conditions_says_so(bowl: Bowl, start: Tensor, tmp_path: Path) -> None:
    options = {"steps": 20, "checkpoint": tmp_path / "c", "checkpoint_every": 5}
    minimize(bowl, start, keep_checkpoint=True, **options)
    torch.set_num_threads(2)
    try:
        run = minimize(bowl, start, **options)
    finally:
        torch.set_num_threads(1)
    assert "the last bits may differ" in run.messages[0]


def test_ctrl_c_twice_before_the_start_is_known_is_raised(start: Tensor) -> None:
    class Slow(Bowl):
        def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            return super().value_and_grad(image)

    with pytest.raises(KeyboardInterrupt):
        minimize(Slow(start), start, steps=5)


def test_a_nan_in_one_picture_does_not_keep_the_others_from_their_best() -> None:
    starts, targets = random(2, 3, 4, 4), random(2, 3, 4, 4, seed=5)

    class Half(Bowl):
        def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
            losses, gradient = super().value_and_grad(image)
            if not torch.equal(image, starts):
                losses["total"] = losses["total"] * torch.tensor([1.0, torch.nan])
            return losses, gradient

    run = minimize(Half(targets), starts, steps=5, optimizer="adam")
    assert not torch.equal(run.image[0], starts[0])
    assert torch.equal(run.image[1], starts[1])


class Cliff(Bowl):
    """A bowl in which one picture falls off: its loss is not a number after the first few."""

    def __init__(self, target: Tensor, which: int, after: int) -> None:
        super().__init__(target, 0.1 + random(*target.shape, seed=3))
        self.which, self.after, self.evaluations = which, after, 0

    def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        losses, gradient = super().value_and_grad(image)
        if self.evaluations > self.after:
            losses["total"][self.which], gradient[self.which] = torch.nan, torch.nan
        self.evaluations += 1
        return losses, gradient


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient_descent"])
def test_a_picture_that_fails_disturbs_no_other(optimizer: Optimizer) -> None:
    starts, targets = random(3, 3, 4, 4), random(3, 3, 4, 4, seed=5)
    alone = minimize(Cliff(targets, 1, 10**9), starts, steps=40, optimizer=optimizer)
    run = minimize(Cliff(targets, 1, 2), starts, steps=40, optimizer=optimizer)
    assert run.endings == ("finished", "failed", "finished")
    assert run.ended == "finished"
    assert run.messages[0].startswith("picture 2, step 3: the loss is nan")
    assert torch.isfinite(run.image).all()
    for index in (0, 2):
        assert run.curve(index=index) == alone.curve(index=index)
        assert torch.equal(run.image[index], alone.image[index])


def test_a_run_of_a_batch_ends_when_all_its_pictures_have(start: Tensor) -> None:
    class Uneven(Bowl):
        """The first picture is at its minimum, the second never finds lower ground."""

        def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
            loss = torch.tensor([0.0, 1.0], dtype=image.dtype)
            return {"total": loss}, torch.ones_like(image) * loss.view(2, 1, 1, 1)

    both = start.repeat(2, 1, 1, 1)
    run = minimize(Uneven(both), both, steps=1000)
    assert run.endings == ("converged", "stalled")
    assert run.ended == "finished"
    assert run.steps == 2 * guards.PATIENCE
    assert torch.equal(run.image, both)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are read eight at a time, as where reading makes a device wait."""
    made = Descent.__init__

    def in_blocks(self: Descent, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        self.block = 8

    monkeypatch.setattr(Descent, "__init__", in_blocks)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient_descent"])
def test_one_bad_evaluation_in_a_block_is_one_restart(
    optimizer: Optimizer, start: Tensor, blocks: None
) -> None:
    poisoned = Poisoned(random(1, 3, 6, 7, seed=2), lambda k: k == 3)
    run = minimize(poisoned, start, steps=200, optimizer=optimizer)
    assert run.ended != "failed"
    assert "step 3: the loss is nan" in run.messages[0]
    assert sum("the loss is" in text for text in run.messages) == 1
    assert torch.isfinite(run.image).all()
    assert min(run.curve()[10:]) < min(run.curve()[:3])


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient_descent"])
def test_a_picture_that_fails_in_blocks_disturbs_no_other(
    optimizer: Optimizer, blocks: None
) -> None:
    starts, targets = random(3, 3, 4, 4), random(3, 3, 4, 4, seed=5)
    alone = minimize(Cliff(targets, 1, 10**9), starts, steps=60, optimizer=optimizer)
    run = minimize(Cliff(targets, 1, 2), starts, steps=60, optimizer=optimizer)
    assert run.endings[1] == "failed" != run.endings[0]
    assert run.lengths[1] < run.lengths[0]
    assert torch.isfinite(run.image).all()
    for index in (0, 2):
        whole = run.lengths[index]  # a picture that is exactly there ends before step 60
        assert whole == alone.lengths[index]
        assert run.endings[index] == alone.endings[index] in ("finished", "converged")
        assert run.curve(index=index)[:whole] == alone.curve(index=index)[:whole]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_checkpoint_in_the_middle_of_a_block_loses_no_restart(
    optimizer: Optimizer, start: Tensor, tmp_path: Path, blocks: None
) -> None:
    poisoned = Poisoned(random(1, 3, 6, 7, seed=2), lambda k: k == 3)
    run = minimize(
        poisoned,
        start,
        steps=100,
        optimizer=optimizer,
        checkpoint=tmp_path / "state",
        checkpoint_every=5,
    )
    assert run.ended != "failed"
    assert min(run.curve()[10:]) < min(run.curve()[:3])


def test_a_start_that_is_not_finite_fails_alone() -> None:
    starts, targets = random(3, 3, 4, 4), random(3, 3, 4, 4, seed=5)
    run = minimize(Cliff(targets, 1, -1), starts, steps=20)
    assert run.endings == ("finished", "failed", "finished")
    assert run.messages[0].startswith("picture 2, step 0: the loss of the start picture is nan")
    assert torch.equal(run.image[1], starts[1])
    assert min(run.curve(index=2)) < run.curve(index=2)[0] / 2


def test_a_resume_in_another_precision_says_so(bowl: Bowl, start: Tensor, tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.step == 4:
            raise StopIteration

    bowl.precision = "bfloat16"  # pyright: ignore[reportAttributeAccessIssue]
    minimize(bowl, start, steps=9, checkpoint=tmp_path / "state", on_step=stop)
    bowl.precision = "float32"  # pyright: ignore[reportAttributeAccessIssue]
    run = minimize(bowl, start, steps=9, checkpoint=tmp_path / "state")
    assert "precision" in run.messages[0]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient_descent"])
def test_losses_read_in_blocks_give_the_same_run(
    optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts, targets = random(2, 3, 4, 4), random(2, 3, 4, 4, seed=5)
    bowl = Bowl(targets, 0.1 + random(2, 3, 4, 4, seed=3))
    once = minimize(bowl, starts, steps=30, optimizer=optimizer, frame_every=7)
    made = Descent.__init__

    def in_blocks(self: Descent, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        self.block = 8

    monkeypatch.setattr(Descent, "__init__", in_blocks)
    run = minimize(bowl, starts, steps=30, optimizer=optimizer, frame_every=7)
    assert torch.equal(run.image, once.image)
    assert torch.equal(run.losses["total"], once.losses["total"])
    assert list(run.frames) == [0, 7, 14, 21, 28, 30]
    stalled = minimize(Flat(starts), starts, steps=1000, optimizer=optimizer)
    assert stalled.ended == "stalled"
    assert stalled.steps < 2 * guards.PATIENCE + 16


def test_the_best_stays_what_it_was_when_the_evaluated_picture_changes(start: Tensor) -> None:
    both = torch.cat([start, start + 1])
    descent = Descent(Bowl(both + 0.5), both, steps=9)
    buffer = both.clone()
    for move in ([0.1, 0.1], [0.2, 0.0], [0.3, 0.4], [-1.0, -1.0]):  # better: both, one, both, none
        buffer.copy_(both + torch.tensor(move, dtype=both.dtype).view(2, 1, 1, 1))
        descent.evaluate(buffer)
        buffer.fill_(torch.nan)
    moved = torch.tensor([0.3, 0.4], dtype=both.dtype).view(2, 1, 1, 1)
    assert torch.equal(descent.best, both + moved)


def test_a_slope_that_is_no_number_is_no_best_and_concerns_its_picture(start: Tensor) -> None:
    class Broken(Bowl):
        def value_and_grad(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
            losses, gradient = super().value_and_grad(image)
            if losses["total"].sum() < 60:
                gradient[1, 2, 3, 4] = torch.nan
            return losses, gradient

    both = torch.cat([start, start])
    descent = Descent(Broken(both + 0.5), both, steps=9)
    descent.evaluate(both)
    descent.evaluate(both + 0.25)
    assert torch.equal(descent.best, torch.stack([both[0] + 0.25, both[1]]))


def test_an_evaluation_asks_a_device_that_is_not_the_cpu_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Descent, "read", lambda self: None)  # which waits, once in a block
    image = torch.zeros(2, 3, 4, 5, device="meta")  # has no values: to ask for one is an error
    descent = Descent(Bowl(torch.ones_like(image)), image, steps=9)
    for _ in range(3):
        descent.evaluate(descent.image)
    assert descent.best.device.type == "meta"
