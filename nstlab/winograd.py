"""3 × 3 convolutions with a quarter of the multiplications, for processors and float32."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

TILE = 4  # rows and columns of a tile's output; it reads two more of each
POINTS = (TILE + 2) ** 2  # products for a tile and a pair of channels, in place of 9 · 16
LARGEST = 1 << 22  # numbers in a piece of transformed weights
WIDE, TALL = 192, 3  # what it takes to be faster, see `is_faster` …
INSTRUCTIONS = ("AVX2",)  # … and on which processors: torch's names of those that were measured
TILES = 160  # that are transformed together: the products stay in the caches, and are large enough

# Of one axis: output = A ((G weights) ⊙ (B input)), from the points 0, ±1, ±2 and infinity.
_B = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0))
_B += ((0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1))
_G = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6))
_G += ((1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))
_A = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


def winograd(
    features: Float[Tensor, "b c h w"],
    weight: Float[Tensor, "k c 3 3"],
    bias: Float[Tensor, " k"] | None = None,
) -> Float[Tensor, "b k h w"]:
    """A convolution of stride 1 with a border of one zero, by Winograd's minimal filtering.

    Each tile of 4 × 4 outputs takes 36 products for a pair of channels where the definition takes
    144. What it costs besides grows with the channels while the products grow with their square,
    so it takes many channels to be faster. Rounding errors are some five times those of a direct
    convolution in the same type, and far below those of bfloat16.

    The gradient goes to the features alone, and takes the same way.

    Args:
        features: best with channels last in memory, as they are in the result.
        weight: frozen.
        bias: frozen.

    Returns:
        What `torch.nn.functional.conv2d(features, weight, bias, padding=1)` gives, but for
        rounding.

    Reference:
        Lavin, Gray 2015, arXiv:1509.09308, F(4 × 4, 3 × 3).
    """
    return _Winograd.apply(features, weight, bias)


def is_faster(before: int, channels: int, positions: int) -> bool:
    """Whether this is the faster way on this processor.

    Where torch's own convolutions use wider instructions than AVX2 this was not measured, and they
    are taken.

    Args:
        before: channels that come in.
        channels: that are put out.
        positions: of one picture, whatever batch it is in.

    Returns:
        True with AVX2 from 192 channels on, where there are three positions for each.
    """
    if torch.backends.cpu.get_cpu_capability() not in INSTRUCTIONS:
        return False
    return min(before, channels) >= WIDE and positions >= TALL * max(before, channels)


def scratch(before: int, channels: int, across: int) -> list[int]:
    """How many numbers the larger tensors have that are made on the way, but for borders.

    Args:
        before: channels that come in.
        channels: that are put out.
        across: columns of all pictures of the batch, side by side.

    Returns:
        Of each tensor.
    """
    at_once = max(TILES, -(-across // TILE))
    tiles = [POINTS * at_once * count for count in (before, before, channels, channels)]
    return [POINTS * before * channels, *tiles]


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(weight)
        return _filter(features, _forward_factors(weight), bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        (weight,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants the derivative of this too
            return F.conv_transpose2d(gradients[0], weight, padding=1), None, None
        return _filter(gradients[0], _backward_factors(weight), None), None, None


# G g Gᵀ of the weights g is made anew in each call: kept for both ways it would be eight times the
# weights. It comes in pieces for some of the outputs each, since memory for larger ones would be
# fetched from the system, and cleared by it, each time.


def _forward_factors(weight: Float[Tensor, "k c 3 3"]) -> list[Float[Tensor, "36 c _"]]:
    both, channels = _of_both_axes(_G, weight), weight.shape[1]
    pieces = weight.permute(2, 3, 0, 1).split(max(1, LARGEST // (POINTS * channels)), 2)
    return [(both @ each.reshape(9, -1)).view(POINTS, -1, channels).mT for each in pieces]


def _backward_factors(weight: Float[Tensor, "k c 3 3"]) -> list[Float[Tensor, "36 k _"]]:
    """Of the weights turned by half a circle, with their channels exchanged."""
    both, channels = _of_both_axes(_G, weight).flip(1), weight.shape[0]
    pieces = weight.permute(2, 3, 0, 1).split(max(1, LARGEST // (POINTS * channels)), 3)
    return [(both @ each.reshape(9, -1)).view(POINTS, channels, -1) for each in pieces]


def _filter(
    features: Float[Tensor, "b c h w"],
    factors: list[Float[Tensor, "36 c _"]],
    bias: Float[Tensor, " k"] | None,
) -> Float[Tensor, "b k h w"]:
    batch, channels, height, width = features.shape
    sizes = [each.shape[2] for each in factors]
    offsets = [None] * len(sizes) if bias is None else bias.split(sizes)
    down, across = -(-height // TILE), -(-width // TILE)  # tiles, the last ones may stick out
    padded = features.new_zeros(batch, TILE * down + 2, TILE * across + 2, channels)
    padded[:, 1 : height + 1, 1 : width + 1] = features.permute(0, 2, 3, 1)
    result = features.new_empty(batch, TILE * down, TILE * across, sum(sizes))
    into, out_of = _of_both_axes(_B, features), _of_both_axes(_A, features)
    image, row, column, _ = padded.stride()
    at_once = max(1, round(TILES / (across * batch)))
    for top in range(0, down, at_once):
        tall = min(at_once, down - top)
        tiles = padded.as_strided(  # those of neighbours overlap
            (TILE + 2, TILE + 2, batch, tall, across, channels),
            (row, column, image, TILE * row, TILE * column, 1),
            top * TILE * row,
        )
        seen = (into @ tiles.reshape(POINTS, -1)).view(POINTS, -1, channels)
        rows = result[:, TILE * top : TILE * (top + tall)].unflatten(1, (tall, TILE))
        rows = rows.unflatten(3, (across, TILE)).permute(2, 4, 0, 1, 3, 5)
        for factor, offset, part in zip(factors, offsets, rows.split(sizes, 5), strict=True):
            found = (out_of @ (seen @ factor).view(POINTS, -1)).view(part.shape)
            part.copy_(found) if offset is None else torch.add(found, offset, out=part)
    return result[:, :height, :width].permute(0, 3, 1, 2)


def _of_both_axes(matrix: tuple[tuple[float, ...], ...], like: Tensor) -> Tensor:
    one = torch.tensor(matrix, dtype=torch.float64)
    return torch.kron(one, one).to(like)
