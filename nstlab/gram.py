"""The Gram matrix: which channels fire together."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

GramNorm = Literal["none", "positions"]


def gram_matrix(
    features: Float[Tensor, "b c h w"], norm: GramNorm = "positions"
) -> Float[Tensor, "b c c"]:
    """Inner products between channels, summed over all positions: G = F Fᵀ, or F Fᵀ / M.

    F is `features` flattened to (b, N, M), with N = c channels and M = h·w positions. Entry (i, j)
    is large where channels i and j are active at the same places; where those places are is lost.

    Args:
        features: outputs of one layer.
        norm: `none` for F Fᵀ as in the paper; `positions` for F Fᵀ / M, which does not grow with
            the picture.

    Returns:
        Symmetric positive semidefinite matrices, one for each picture.

    Raises:
        ValueError: `norm` is another word.

    Reference:
        Gatys, Ecker, Bethge 2015, arXiv:1505.07376, equation 2.
    """
    flat = features.flatten(2)
    if norm == "none":
        return flat @ flat.mT
    if norm == "positions":
        positions = flat.shape[2]
        if features.dtype == torch.float16:  # scaled first, or sums would pass 65504
            flat, positions = flat * positions**-0.5, 1
        return flat @ flat.mT / positions
    raise ValueError(f"unknown norm {norm!r}; it can be 'none' or 'positions'")
