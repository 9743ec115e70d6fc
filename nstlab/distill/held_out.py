"""Pictures that no student is trained on, to see whether it ranks their styles as its teacher."""

from collections.abc import Sequence
from pathlib import Path

import torch

from nstlab.distill.agreement import FEWEST, agreement, gram_matrices
from nstlab.distill.lessons import Lesson
from nstlab.encoders import Encoder
from nstlab.images import PictureError, open_picture, resize

SIZE = 256  # longer side in pixels


class HeldOut:
    """Held-out pictures with the Gram matrices that the teachers give them."""

    def __init__(
        self, lessons: Sequence[Lesson], pictures: Sequence[Path], device: torch.device
    ) -> None:
        """Read the pictures and ask the teachers.

        Args:
            lessons: teachers and layers.
            pictures: files, at least three, or none, which measures nothing.
            device: where teachers and student are.

        Raises:
            PictureError: one or two pictures, or one that cannot be read.
        """
        if 0 < len(pictures) < FEWEST:
            raise PictureError(
                f"{len(pictures)} pictures held out are too few to rank; give at least {FEWEST}, "
                "or none"
            )
        self.pictures = [resize(open_picture(path), SIZE).to(device) for path in pictures]
        self.by_teacher = {}
        for lesson in lessons if self.pictures else ():
            self.by_teacher |= gram_matrices(lesson.teacher, self.pictures, lesson.layers)

    def agreement(self, student: Encoder) -> dict[str, float]:
        """Rank correlations of the student's style distances with the teachers'.

        Args:
            student: with all taught layers.

        Returns:
            `relu1_1` and so on for distances between Gram matrices as they are, `relu1_1 normed`
            for those between Gram matrices divided by their norms; nothing without pictures.
        """
        if not self.pictures:
            return {}
        found = {}
        by_student = gram_matrices(student, self.pictures, list(self.by_teacher))
        for name, theirs in self.by_teacher.items():
            for label, normed in ((name, False), (f"{name} normed", True)):
                ours = by_student[name]
                found[label] = agreement(ours, theirs, normed=normed, resamples=1).correlation
        return found
