"""The training: a small network learns to see what larger ones see."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import torch

from nstlab.checkpoints import Checkpointer
from nstlab.distill.crops import Crops
from nstlab.distill.held_out import HeldOut
from nstlab.distill.lessons import Distilled, Lecture, Lesson, Training, recipe
from nstlab.distill.school import School
from nstlab.encoders import Encoder
from nstlab.interrupts import first_interrupt
from nstlab.runtime import machine


def distill(
    lessons: Sequence[Lesson],
    pictures: Sequence[Sequence[Path]],
    training: Training | None = None,
    *,
    start: Encoder | None = None,
    held_out: Sequence[Path] = (),
    measure_every: int = 200,
    on_step: Callable[[Lecture], None] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
    device: str | torch.device = "cpu",
) -> Distilled:
    """Train a small encoder to see what larger ones see.

    The student has VGG-19's layers to `relu5_1` with fewer channels. At each step it sees crops of
    pictures, and is asked for two things at each layer of a lesson. Its features, after a 1×1
    convolution that is thrown away in the end, are to be the teacher's. And squared distances
    between its Gram matrices, which need no such convolution, are to be the teacher's times a
    constant: pictures are to be alike in style for the student where they are for the teacher.

    Args:
        lessons: teachers with their layers; no layer twice.
        pictures: groups of files to take crops from; see `Crops`.
        training: the numbers; None for the defaults.
        start: an encoder to go on from, which is copied; None to start at random.
        held_out: files to measure the agreement with the teachers on.
        measure_every: steps between two such measurements; one is made at the start and the end.
        on_step: called after each step.
        checkpoint: file to write the state to, and to go on from where it is there.
        checkpoint_every: steps between checkpoints; None for one every 30 seconds.
        device: where to compute; the teachers must be there.

    Returns:
        The student and the record. The first Ctrl-C ends the training after the step in progress.

    Raises:
        ValueError: lessons that do not fit, or numbers out of range.
        PictureError: a picture that cannot be read.
        RecordError: a checkpoint of another training.
        FloatingPointError: an error is not finite any more; a lower learning rate helps.

    Reference:
        Hinton, Vinyals, Dean 2015, arXiv:1503.02531 (distillation); Romero et al. 2015,
        arXiv:1412.6550 (features as targets); Gatys, Ecker, Bethge 2015, arXiv:1505.07376.
    """
    training = training or Training()
    if measure_every < 1:
        raise ValueError(f"measure_every is {measure_every}; it must be at least 1")
    place = torch.device(device)
    school = School(lessons, training, _crops(pictures, training), start, place)
    record = recipe(lessons, pictures, held_out, training, start)
    saver = Checkpointer(checkpoint, checkpoint_every, record)
    state = saver.read()
    unseen = HeldOut(lessons, held_out, place)
    if state is None:
        school.measure()
        school.agreement[0] = unseen.agreement(school.student.encoder)
    else:
        school.load_state_dict(state)
        saver.last_step = school.step
    leaving: list[bool] = []
    messages: list[str] = []
    began = time.perf_counter() - school.seconds
    with first_interrupt(lambda: leaving.append(True)), suppress(KeyboardInterrupt):
        while school.step < training.steps and not leaving:
            errors, measured = school.advance(), None
            if school.step % measure_every == 0 or school.step == training.steps:
                measured = unseen.agreement(school.student.encoder)
                school.agreement[school.step] = measured
            school.seconds = time.perf_counter() - began
            if on_step is not None:
                left = school.seconds / school.step * (training.steps - school.step)
                lecture = Lecture(
                    school.step, training.steps, errors, measured, school.seconds, left
                )
                try:
                    on_step(lecture)
                except KeyboardInterrupt:  # the step is complete and can be kept
                    leaving.append(True)
            if leaving or school.step == training.steps or saver.is_due(school.step):
                try:
                    saver.write(school.step, school.state_dict)
                except OSError as error:  # a full disk must not cost the training
                    saver.path = None
                    reason = error.strerror or type(error).__name__
                    messages.append(f"step {school.step}: no checkpoints from here on: {reason}")
    record |= {
        "steps_done": school.step,
        "seconds": round(school.seconds, 1),
        "errors": school.errors,
        "agreement": school.agreement,
        "messages": messages,
        "machine": machine(place),
    }
    ended = "done" if school.step == training.steps else "interrupted"
    return Distilled(school.frozen(), ended, record)


def _crops(pictures: Sequence[Sequence[Path]], training: Training) -> Crops:
    return Crops(pictures, size=training.size, seed=training.seed)
