"""What is taught, by whom, with which numbers; and what is known of a training."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nstlab.distill.teachers import Teacher
from nstlab.encoders import Encoder
from nstlab.layers import LITE_WIDTHS


@dataclass(frozen=True)
class Lesson:
    """One teacher and what is learned from it.

    Attributes:
        teacher: gives the features.
        layers: those to learn, as features and as distances between Gram matrices.
    """

    teacher: Teacher
    layers: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """The lesson for a record: the teacher's weights by name and checksum, and the layers."""
        teacher = self.teacher
        origin = {"weights": teacher.weights_name, "sha256": teacher.weights_sha256}
        return {**origin, "layers": list(self.layers)}


@dataclass(frozen=True, kw_only=True)
class Training:
    """All that a training depends on besides teachers and pictures.

    Attributes:
        widths: channels of each of the student's five blocks, where it starts at random.
        steps: updates of the weights.
        batch: crops in each step.
        size: side of a crop in pixels.
        rivals: pictures on their way to other styles, of which each step uses one beside its
            target; 0 for none. See `Rivals`.
        learning_rate: the highest; it rises during the first tenth and then falls to zero.
        gram_weight: of the errors of Gram distances, against 1 for the features.
        weight_decay: of AdamW.
        kept: name of a layer such as `relu4_1`; the student's weights down to it stay as they are,
            so that deeper layers can be trained alone. None for no such layer.
        seed: of the first weights and of all crops.
    """

    widths: tuple[int, ...] = LITE_WIDTHS
    steps: int = 2800
    batch: int = 8
    size: int = 128
    rivals: int = 16
    learning_rate: float = 1.5e-3
    gram_weight: float = 2.0
    weight_decay: float = 1e-4
    kept: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch", 4), ("size", 32), ("rivals", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("learning_rate", "gram_weight", "weight_decay"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be a number from 0 up")
        if len(self.widths) != 5 or min(self.widths) < 1:
            raise ValueError(f"widths is {self.widths}; it must be five numbers of channels")


@dataclass(frozen=True)
class Lecture:
    """What is known after one step of a training.

    Attributes:
        step: steps done, of `steps`.
        steps: those asked for.
        errors: `relu1_1` and so on to the feature error before the step, `relu1_1 gram` to that of
            the distances.
        agreement: with the teachers on pictures held out, where it was measured after this step;
            see `HeldOut.agreement`.
        seconds: since the training began, over all its parts.
        seconds_left: expected.
    """

    step: int
    steps: int
    errors: dict[str, float]
    agreement: dict[str, float] | None
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Distilled:
    """What came of a training.

    Attributes:
        encoder: the student, frozen.
        ended: `done` or `interrupted`.
        record: settings, teachers, pictures by name, steps done, seconds, errors of all steps
            (`errors`: name to list), agreement on held-out pictures by step, messages; plain data.
    """

    encoder: Encoder
    ended: str
    record: dict[str, Any] = field(repr=False)


def taught_channels(lessons: Sequence[Lesson]) -> dict[str, int]:
    """Each taught layer with its teacher's number of channels.

    Args:
        lessons: all of them.

    Returns:
        In the order of the lessons.

    Raises:
        ValueError: no layer, one taught twice, or one that a teacher does not have.
    """
    taught: dict[str, int] = {}
    for lesson in lessons:
        for name in lesson.layers:
            if name in taught:
                raise ValueError(f"layer {name!r} is taught twice; name it for one teacher")
            taught[name] = lesson.teacher.channels(name)
    if not taught:
        raise ValueError("no layer to learn; name at least one for a teacher")
    return taught


def recipe(
    lessons: Sequence[Lesson],
    pictures: Sequence[Sequence[Path]],
    held_out: Sequence[Path],
    training: Training,
    start: Encoder | None,
) -> dict[str, Any]:
    """All that the weights depend on, as plain data without paths.

    Args:
        lessons: teachers and layers.
        pictures: groups of training pictures.
        held_out: pictures to measure on.
        training: the numbers.
        start: where the student starts, None at random.

    Returns:
        Ready for JSON.
    """
    return {
        "training": {**asdict(training), "widths": list(training.widths)},
        "lessons": [lesson.as_data() for lesson in lessons],
        "pictures": [[path.name for path in group] for group in pictures],
        "held_out": [path.name for path in held_out],
        "start": None if start is None else [start.weights_name, start.weights_sha256],
    }
