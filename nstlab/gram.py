"""The Gram matrix: which channels fire together."""

from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

GramNorm = Literal["none", "positions"]
HALF = (torch.bfloat16, torch.float16)
RUN = 1024  # positions whose products are summed before the sum is rounded to half precision


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
        Symmetric positive semidefinite matrices, one for each picture; in float32 where the
        features have half precision.

    Raises:
        ValueError: `norm` is another word.

    Reference:
        Gatys, Ecker, Bethge 2015, arXiv:1505.07376, equation 2.
    """
    if norm not in get_args(GramNorm):
        raise ValueError(f"unknown norm {norm!r}; it can be 'none' or 'positions'")
    scale = 1 / features[0, 0].numel() if norm == "positions" else 1.0
    return _Gram.apply(features, scale)


class _Gram(torch.autograd.Function):
    """G = s F Fᵀ, whose way back is one product, dF = s (dG + dGᵀ) F.

    Autograd would make one of each of the two factors and add them up: twice the work, and twice
    the memory of the features.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, scale: float) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(features)
        ctx.scale = scale
        return _product(features) * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        (features,) = ctx.saved_tensors
        slope = ((gradients[0] + gradients[0].mT) * ctx.scale).to(features.dtype)
        rows = features.flatten(2).mT @ slope
        return rows.mT.unflatten(2, features.shape[2:]), None


def _product(features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c c"]:
    """F Fᵀ. Products of half precision are summed in float32 over runs of `RUN` positions.

    One product over all positions would be rounded to half precision at its end, and in float16
    pass 65504; converting the features to float32 first costs their memory twice over and most of
    the speed.
    """
    rows = features.flatten(2).mT  # (b, M, c), as they lie in memory with channels last
    if features.dtype not in HALF:
        return rows.mT @ rows
    whole = rows.shape[1] // RUN * RUN
    shrunk = rows.shape[1] if features.dtype == torch.float16 else 1
    first, rest = rows[:, :whole].unflatten(1, (-1, RUN)), rows[:, None, whole:]
    total = torch.zeros(1, device=rows.device)
    for part in (first, rest):
        if part.numel():
            part = part * shrunk**-0.5 if shrunk > 1 else part
            total = total + (part.mT @ part).float().sum(1)
    return total * shrunk
