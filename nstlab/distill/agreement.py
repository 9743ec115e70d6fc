"""How far a student agrees with its teacher about which pictures are alike in style."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import rankdata
from torch import Tensor

from nstlab.gram import gram_matrix
from nstlab.runtime import generator

FeaturesOf = Callable[[Tensor, Sequence[str]], Mapping[str, Tensor]]
FEWEST = 3  # pictures; two have a single distance, which cannot be ranked


@dataclass(frozen=True)
class Agreement:
    """A rank correlation and the interval it lies in.

    Attributes:
        correlation: Spearman's, from -1 to 1; 1 where both put all pairs of pictures into the same
            order, nan where one of them finds all pairs equally far apart.
        low: lower end of the interval that holds 95 % of the resamples.
        high: its upper end.
    """

    correlation: float
    low: float
    high: float


def gram_matrices(
    encoder: FeaturesOf, pictures: Sequence[Float[Tensor, "1 3 _ _"]], layers: Sequence[str]
) -> dict[str, Float[Tensor, "n _ _"]]:
    """The Gram matrices of pictures of any sizes, divided by their numbers of positions.

    Args:
        encoder: any encoder or teacher: takes a picture and names of layers, gives features.
        pictures: RGB in [0, 1], each of the encoder's precision and on its device.
        layers: names of layers of the encoder.

    Returns:
        Layer name to one matrix for each picture, in float32, or in float64 where the encoder
        computes in that.

    Raises:
        ValueError: no picture, an unknown layer, or a picture that the encoder refuses.
    """
    if not pictures:
        raise ValueError("there is no picture to take Gram matrices of; give at least one")
    grams: dict[str, list[Tensor]] = {name: [] for name in layers}
    with torch.no_grad():
        for picture in pictures:
            for name, features in encoder(picture, layers).items():
                wide = features.to(torch.promote_types(features.dtype, torch.float32))
                grams[name].append(gram_matrix(wide, "positions"))
    return {name: torch.cat(each) for name, each in grams.items()}


def style_distances(grams: Float[Tensor, "n c c"], *, normed: bool) -> Float[Tensor, " pairs"]:
    """How far apart the pictures are in style: Σ(G_i − G_j)² for all pairs i < j.

    Args:
        grams: one matrix for each picture.
        normed: whether each matrix is first divided by its own √ΣG², so that contrast does not
            count; a matrix of zeros stays as it is.

    Returns:
        n (n − 1) / 2 numbers in float64, in the order (0, 1), (0, 2) ... (1, 2) ...
    """
    flat = grams.detach().flatten(1).cpu().double()
    if normed:
        norms = flat.norm(dim=1, keepdim=True)
        flat = flat / norms.where(norms > 0, 1.0)
    return torch.pdist(flat).square()


def agreement(
    student_grams: Float[Tensor, "n s s"],
    teacher_grams: Float[Tensor, "m t t"],
    *,
    normed: bool,
    resamples: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Rank correlation of a student's style distances with its teacher's, with an interval.

    Distances of the same pairs share their pictures, so for the interval the pictures are drawn
    again, with replacement, and not the pairs. A picture and its own copy, which are no distance
    apart for anybody, are no pair. A resample whose pairs all tie (such as three copies of one
    picture) has no correlation and does not count.

    Args:
        student_grams: one matrix for each picture, of one layer; its channels are its own.
        teacher_grams: the teacher's for the same pictures in the same order.
        normed: see `style_distances`.
        resamples: how often the pictures are drawn again.
        seed: of the draws.

    Returns:
        Spearman's correlation over all pairs of pictures, and the 2.5 and 97.5 % quantiles of
        the resamples'.

    Raises:
        ValueError: numbers of pictures that differ, fewer than three pictures, no resample, or
            distances that are not finite.

    Reference:
        Kriegeskorte, Mur, Bandettini 2008, "Representational similarity analysis", Frontiers in
        Systems Neuroscience 2:4.

    Example:
        >>> teacher = torch.rand(5, 3, 3)
        >>> agreement(2 * teacher, teacher, normed=False).correlation
        1.0
    """
    count = len(student_grams)
    if count != len(teacher_grams):
        raise ValueError(
            f"Gram matrices of {count} pictures by the student and of {len(teacher_grams)} by the "
            "teacher; take both of the same pictures"
        )
    if count < FEWEST:
        raise ValueError(f"{count} pictures are too few to rank; give at least {FEWEST}")
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}; it must be at least 1")
    rows, columns = np.triu_indices(count, k=1)
    distances = np.zeros((2, count, count))
    for table, grams in zip(distances, (student_grams, teacher_grams), strict=True):
        table[rows, columns] = style_distances(grams, normed=normed).numpy()
        table += table.T
    if not np.isfinite(distances).all():
        raise ValueError("some distances are not finite; look for NaN in the Gram matrices")
    draws = torch.randint(count, (resamples, count), generator=generator(seed)).numpy()
    found = []
    for draw in draws:
        first, second = draw[rows], draw[columns]
        apart = first != second
        found.append(_rank_correlation(distances[:, first[apart], second[apart]]))
    defined = [value for value in found if not math.isnan(value)]
    low, high = np.quantile(defined, (0.025, 0.975)) if defined else (math.nan, math.nan)
    whole = _rank_correlation(distances[:, rows, columns])
    return Agreement(whole, float(low), float(high))


def _rank_correlation(values: np.ndarray) -> float:
    """Spearman's correlation of the two rows; nan where one of them is flat or empty."""
    if values.size == 0 or not np.ptp(values, axis=1).all():
        return math.nan
    student, teacher = rankdata(values, axis=1)
    student, teacher = student - student.mean(), teacher - teacher.mean()
    cosine = student @ teacher / math.sqrt((student @ student) * (teacher @ teacher))
    return float(np.clip(cosine, -1, 1))
