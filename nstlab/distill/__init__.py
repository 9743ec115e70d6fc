"""Training a small encoder on the features of larger ones; the bundled `lite` was made with it."""

from nstlab.distill.agreement import Agreement, agreement, gram_matrices, style_distances
from nstlab.distill.crops import Crops, pictures_in
from nstlab.distill.files import save_student
from nstlab.distill.lessons import Distilled, Lecture, Lesson, Training
from nstlab.distill.teachers import Projected, Teacher, compressed_encoder, load_teacher
from nstlab.distill.train import distill

__all__ = [
    "Agreement",
    "Crops",
    "Distilled",
    "Lecture",
    "Lesson",
    "Projected",
    "Teacher",
    "Training",
    "agreement",
    "compressed_encoder",
    "distill",
    "gram_matrices",
    "load_teacher",
    "pictures_in",
    "save_student",
    "style_distances",
]
