"""What a student is asked for: its teacher's features, and distances between Gram matrices."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SAME = 1e-4  # squared distance, in units of the norms, below which two styles count as the same


def feature_error(
    features: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"]
) -> Float[Tensor, ""]:
    """Mean squared error against a teacher's features, scaled so that their variance is one.

    Unscaled, the teachers' deep features are so large, and their shallow ones so small, that a
    student learns only some of them, or none.

    Args:
        features: the student's, led to the teacher's number of channels.
        target: the teacher's, divided by √(mean variance of its channels).

    Returns:
        1 where the student gives each channel's mean, 0 where it gives the features.
    """
    return F.mse_loss(features, target)


def gram_distance_error(
    student: Float[Tensor, "b c c"], teacher: Float[Tensor, "b k k"], offset: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """How far distances between styles differ in ratio, seen by student and by teacher.

    With d = ‖Gᵢ - Gⱼ‖² for each pair of pictures of the batch: the mean over pairs of ρ(log d of
    the student - log d of the teacher - offset), ρ being the square near zero and the absolute
    value far from it, plus the same for Gram matrices divided by their own norms, without offset.
    The number of channels, and which channel is which, do not matter. A student with zero error
    ranks all styles as its teacher does.

    Args:
        student: Gram matrices of a batch by the student.
        teacher: those of the same pictures by the teacher, with any number of channels.
        offset: logarithm of the ratio of all distances, which is learned.

    Returns:
        The mean of both parts.
    """
    whole = _pairs(student) - _pairs(teacher) - offset
    shape = _pairs(_unit(student)) - _pairs(_unit(teacher))
    return (_robust(whole) + _robust(shape)) / 2


def log_distance_ratio(
    student: Float[Tensor, "b c c"], teacher: Float[Tensor, "b k k"]
) -> Float[Tensor, ""]:
    """Median of log d of the student - log d of the teacher: where `offset` starts."""
    return (_pairs(student) - _pairs(teacher)).median()


def _unit(grams: Float[Tensor, "b c c"]) -> Float[Tensor, "b c c"]:
    return grams / grams.flatten(1).norm(dim=1).clamp_min(1e-20)[:, None, None]


def _pairs(grams: Float[Tensor, "b c c"]) -> Float[Tensor, " pairs"]:
    """Log squared distances of all pairs; from inner products, which cost less than differences."""
    flat = grams.flatten(1)
    inner = flat @ flat.mT
    squares = inner.diagonal()
    distances = squares[:, None] + squares[None] - 2 * inner
    norms = squares.clamp_min(1e-20).sqrt()  # not zero, where a root has no slope
    floor = SAME * norms[:, None] * norms[None]
    first, second = torch.triu_indices(len(grams), len(grams), 1, device=grams.device)
    return (distances.clamp_min(0) + floor)[first, second].log()


def _robust(difference: Float[Tensor, " pairs"]) -> Float[Tensor, ""]:
    return F.smooth_l1_loss(difference, torch.zeros_like(difference), beta=0.5)
