"""The one loop: go down an objective from a start picture, whatever the objective is."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import scipy.optimize
import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.checkpoints import Checkpointer, remove_checkpoint
from nstlab.descent import Descent, Differentiable
from nstlab.images import check_picture
from nstlab.interrupts import first_interrupt
from nstlab.lbfgs import LBFGS
from nstlab.preconditioner import PRECONDITIONERS, Preconditioner, PreconditionerName
from nstlab.runs import Ended, OnStep, Run
from nstlab.runtime import machine
from nstlab.steppers import LEARNING_RATES, Adam, GradientDescent, Stepper

Optimizer = Literal["lbfgs", "scipy", "adam", "gradient_descent"]
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)
CAUTION = 0.25  # by which the steps of a picture that starts anew are smaller
SCIPY_BLOCK = 100  # evaluations after which scipy's memory is emptied and its run can be resumed


def minimize(
    objective: Differentiable,
    image: Float[Tensor, "b 3 h w"],
    *,
    steps: int,
    optimizer: Optimizer = "lbfgs",
    learning_rate: float | None = None,
    history: int = 10,
    preconditioner: PreconditionerName = "adaptive",
    frame_every: int = 0,
    on_step: OnStep | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
    keep_checkpoint: bool = False,
    recipe: Mapping[str, Any] | None = None,
) -> Run:
    """Change a picture step by step so that an objective falls; keep the best one that was seen.

    The objective is multiplied by one number for the whole run, 1 / mean |gradient at the start|,
    so that no rule inside an optimiser takes a small loss for the end; losses are reported
    without it. A loss that is not finite, or stays above twice the start's, sends a picture back to
    the best one with an empty memory and smaller steps. Each picture of a batch starts anew and
    ends by itself; one that has ended rests until the others have. (With scipy the batch is one
    problem.) The first Ctrl-C ends the run after the step in progress.

    Args:
        objective: has `value_and_grad`.
        image: where to start, RGB in [0, 1]; not changed.
        steps: changes to the picture; the objective is evaluated once more than that. For scipy,
            whose line search may need several evaluations for a step: evaluations less one.
        optimizer: `lbfgs`, scipy's L-BFGS-B as `scipy`, `adam`, or `gradient_descent`.
        learning_rate: factor of L-BFGS's steps, 1; change of a pixel in a step of Adam, 0.02; mean
            change of a pixel in the first step of gradient descent, 0.01. None for these. Not used
            by scipy.
        history: number of steps that the two L-BFGS remember.
        preconditioner: what `lbfgs` takes for the curvature before it has learnt any: with `none`
            the same for all changes, with `adaptive` see `Preconditioner`. Not used by the others.
        frame_every: keep each n-th picture, the start's included, and as the last one the picture
            that is returned; 0 keeps none.
        on_step: called with a `Step` after each evaluation; it ends the run by raising
            `StopIteration`.
        checkpoint: file to write the state to now and then. If it is there, the run goes on from
            it, with the same bits as if it had not been stopped (on the CPU, with as many threads).
        checkpoint_every: steps between checkpoints; None for one every 30 seconds. With scipy they
            are looked at after each 100 evaluations.
        keep_checkpoint: leave the file when the run has ended by itself; else it is deleted then,
            and you have but the returned run.
        recipe: plain data that says what is computed: kept in the run, and compared on resuming.

    Returns:
        The run. What the objective or a watcher raises reaches the caller, and has the run so far
        as its attribute `run`.

    Raises:
        ValueError: a number out of range, an unknown optimiser or preconditioner, or a start that
            is no picture.
        RecordError: the checkpoint is damaged or of another run.
        FloatingPointError: the loss of the start picture is not finite.
        KeyboardInterrupt: Ctrl-C twice before the start picture was evaluated.
    """
    _check(steps=(steps, 1), history=(history, 1), frame_every=(frame_every, 0))
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimiser {optimizer!r}; there is: {', '.join(OPTIMIZERS)}")
    if learning_rate is not None and not learning_rate > 0:
        raise ValueError(f"learning_rate is {learning_rate}; it must be above 0")
    if preconditioner not in PRECONDITIONERS:
        there_are = ", ".join(PRECONDITIONERS)
        raise ValueError(f"unknown preconditioner {preconditioner!r}; there is: {there_are}")
    check_picture(image)
    recipe = dict(recipe or {})
    method = {"optimizer": optimizer, "learning_rate": learning_rate, "history": history}
    method["preconditioner"] = preconditioner
    loop = {**method, "steps": steps, "shape": list(image.shape), "dtype": str(image.dtype)}
    saver = Checkpointer(checkpoint, checkpoint_every, {**recipe, "loop": loop})
    state = saver.read()
    joint = optimizer == "scipy"
    descent = Descent(objective, image, steps, frame_every, on_step, joint=joint)
    stepper = None
    if not joint:
        adapts = preconditioner == "adaptive"
        stepper = _stepper(optimizer, descent.image, learning_rate, history, adapts)
    if state is not None:
        descent.load_state_dict(state["descent"])
        saver.last_step = descent.evaluations
        if state["machine"] != _conditions(descent):
            descent.note(
                "resumed with other versions, device, precision or threads; "
                "the last bits may differ"
            )
        if stepper is not None:
            stepper.load_state_dict(state["stepper"])
        del state  # it holds the optimiser's memory a second time
    ended: Ended = "interrupted"
    with first_interrupt(descent.interrupt), suppress(KeyboardInterrupt):
        try:
            if stepper is None:
                ended = _scipy_steps(descent, history, saver)
            else:
                ended = _own_steps(descent, stepper, saver)
        except Exception as error:
            error.run = descent.run("failed", recipe)  # pyright: ignore[reportAttributeAccessIssue]
            raise
    if not descent.evaluations:
        raise KeyboardInterrupt
    if ended not in ("interrupted", "stopped") and not keep_checkpoint and checkpoint is not None:
        remove_checkpoint(checkpoint)
    return descent.run(ended, recipe)


def _stepper(
    name: str, image: Tensor, learning_rate: float | None, history: int, adapts: bool
) -> Stepper:
    rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
    if name == "lbfgs":
        return LBFGS(image, rate, history, Preconditioner(image) if adapts else None)
    return Adam(image, rate) if name == "adam" else GradientDescent(image, rate)


def _own_steps(descent: Descent, stepper: Stepper, saver: Checkpointer) -> Ended:
    def state() -> dict[str, Any]:
        state = {"descent": descent.state_dict(), "stepper": stepper.state_dict()}
        return {**state, "machine": _conditions(descent)}

    while True:
        loss, gradient = descent.evaluate(descent.image)
        leaving = descent.leaving  # looked at once: Ctrl-C from here on is for the next step
        due = leaving is not None or saver.is_due(descent.evaluations)
        if due:
            descent.read()  # so that what the guards say is done before it is written
        if descent.over is not None:
            return descent.over
        image = stepper.advance(loss, gradient)
        if descent.again:
            which = torch.zeros(len(descent.image), dtype=torch.bool)
            which[descent.again] = True
            which = which.to(descent.image.device)
            image = stepper.restart(descent.best, which, CAUTION)
        descent.image = image
        if due:
            _save(descent, saver, state)
        if leaving is not None:
            return leaving


class _Pause(Exception):
    """Raised inside an evaluation to take control back from scipy."""


def _scipy_steps(descent: Descent, history: int, saver: Checkpointer) -> Ended:
    """Let scipy's L-BFGS-B ask for evaluations, in blocks that each start with an empty memory."""
    like = descent.image

    def to_picture(flat: np.ndarray) -> Tensor:
        return torch.from_numpy(flat).to(like.dtype).to(like.device).reshape(like.shape)

    def state() -> dict[str, Any]:
        return {"descent": descent.state_dict(), "machine": _conditions(descent)}

    def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = descent.evaluate(to_picture(flat))
        if descent.over or descent.leaving or descent.again:
            raise _Pause
        return float(total.sum()), gradient.cpu().double().numpy().ravel()

    while True:
        try:
            found = scipy.optimize.minimize(
                evaluate,
                descent.image.cpu().double().numpy().ravel(),
                jac=True,
                method="L-BFGS-B",
                options={"maxcor": history, "maxfun": SCIPY_BLOCK, "ftol": 0.0, "gtol": 0.0},
            )
            descent.image = to_picture(found.x)
        except _Pause:
            if ended := descent.over or descent.leaving:
                return (
                    ended  # a resume begins at the last checkpoint, where scipy's memory was empty
                )
            descent.image = descent.best
        leaving = descent.leaving  # looked at once, as above
        if leaving is not None or saver.is_due(descent.evaluations):
            _save(descent, saver, state)
        if leaving is not None:
            return leaving


def _conditions(descent: Descent) -> dict[str, Any]:
    """What the last bits depend on."""
    precision = getattr(descent.objective, "precision", None)
    return {**machine(descent.image.device), "precision": precision}


def _save(descent: Descent, saver: Checkpointer, state: Callable[[], dict[str, Any]]) -> None:
    """Between two steps, when all that is in memory fits together."""
    try:
        saver.write(descent.evaluations, state)
    except OSError as error:  # a full disk must not cost the run
        saver.path = None
        reason = error.strerror or type(error).__name__  # the whole text would hold the path
        descent.note(f"no checkpoints from here on, they cannot be written: {reason}")


def _check(**bounds: tuple[int, int]) -> None:
    for name, (value, least) in bounds.items():
        if value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")
