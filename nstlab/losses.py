"""What is minimised: content, style, variation and range losses as pure functions."""

from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor

Normalization = Literal["relative", "gatys", "mean", "fastai", "johnson"]
NORMALIZATIONS: tuple[str, ...] = get_args(Normalization)
EPSILON = 1e-8  # per element; keeps `relative` finite where the target is black


def check_normalization(normalization: str) -> None:
    """Raise a `ValueError` that lists the valid names unless `normalization` is one of them."""
    if normalization not in NORMALIZATIONS:
        names = ", ".join(NORMALIZATIONS)
        raise ValueError(f"unknown normalisation {normalization!r}; there is: {names}")


def content_loss(
    features: Float[Tensor, "b c h w"],
    target: Float[Tensor, "t c h w"],
    normalization: Normalization = "relative",
) -> Float[Tensor, " b"]:
    """How far the features F of a picture are from those of the content picture, P, in one layer.

    | name       | loss                          | used by                                   |
    |------------|-------------------------------|-------------------------------------------|
    | `relative` | Σ(F−P)² / (ΣP² + ε)           | nstlab; ε is 1e-8 per element             |
    | `gatys`    | ½ Σ(F−P)²                     | the paper                                 |
    | `mean`     | mean (F−P)²                   | Gatys' PyTorch notebook                   |
    | `fastai`   | mean (F−P)²                   | the blog walk-through                     |
    | `johnson`  | Σ(F−P)² / (N M)               | fast neural style                         |

    Args:
        features: F, outputs of the layer for b pictures, N = c channels at M = h·w positions.
        target: P, the same layer's outputs for the content picture: one for all, or one for each.
        normalization: one of the names above.

    Returns:
        One value for each picture; 0 where the features agree.

    Raises:
        ValueError: shapes that do not fit, or an unknown normalisation.

    Reference:
        Gatys, Ecker, Bethge 2015, arXiv:1508.06576, equation 1.
    """
    check_normalization(normalization)
    _check_shapes("content features", features, target)
    if features.dtype.itemsize < 4:
        features, target = features.float(), target.float()
    squares = (features - target).square().flatten(1)
    match normalization:
        case "relative":
            scale = target.square().flatten(1).sum(1) + EPSILON * target[0].numel()
            return squares.sum(1) / scale
        case "gatys":
            return squares.sum(1) / 2
        case _:
            return squares.mean(1)


def style_loss(
    gram: Float[Tensor, "b c c"],
    target: Float[Tensor, "t c c"],
    normalization: Normalization = "relative",
) -> Float[Tensor, " b"]:
    """How far the Gram matrix of a picture is from that of the style picture, in one layer.

    Both are divided by their own number of positions, so that pictures of different sizes compare:
    `gram` is G/M and `target` A/M, as `gram_matrix` gives them.

    | name       | loss                          | used by                                   |
    |------------|-------------------------------|-------------------------------------------|
    | `relative` | Σ(G/M−A/M)² / (Σ(A/M)² + ε)   | nstlab; ε is 1e-8 per element             |
    | `gatys`    | Σ(G/M−A/M)² / (4 N²)          | the paper's Σ(G−A)²/(4N²M²), equal sizes  |
    | `mean`     | mean (G/M−A/M)²               | Gatys' PyTorch notebook                   |
    | `fastai`   | mean (10⁶ (G/M−A/M) / N)²     | the blog walk-through                     |
    | `johnson`  | Σ((G/M−A/M) / N)²             | fast neural style                         |

    Args:
        gram: G/M of b pictures, with N = c channels.
        target: A/M of the style picture: one for all, or one for each.
        normalization: one of the names above.

    Returns:
        One value for each picture; 0 where the matrices agree.

    Raises:
        ValueError: shapes that do not fit, or an unknown normalisation.

    Reference:
        Gatys, Ecker, Bethge 2015, arXiv:1508.06576, equation 4.
    """
    check_normalization(normalization)
    _check_shapes("Gram matrix", gram, target)
    channels = gram.shape[1]
    difference = (gram - target).flatten(1)
    match normalization:
        case "relative":
            scale = target.square().flatten(1).sum(1) + EPSILON * channels**2
            return difference.square().sum(1) / scale
        case "gatys":
            return difference.square().sum(1) / (4 * channels**2)
        case "mean":
            return difference.square().mean(1)
        case "fastai":
            return (1e6 * difference / channels).square().mean(1)
        case "johnson":
            return (difference / channels).square().sum(1)


def variation_loss(image: Float[Tensor, "b 3 h w"], exponent: float = 1.25) -> Float[Tensor, " b"]:
    """How rough a picture is: the mean over pixels and channels of ((Δx)² + (Δy)²)^exponent.

    Args:
        image: RGB in [0, 1], at least 2 × 2 pixels.
        exponent: at least 1, where it gives plain squares; 1.25 as in the slides' experiments.

    Returns:
        One value for each picture; 0 for a flat one. On 0–255 pixels a summed loss of the same
        exponent is 3 (h−1) (w−1) 255^(2·exponent) times larger.

    Raises:
        ValueError: an exponent below 1, whose gradient is infinite on flat parts, or a picture
            of a single row or column.

    Reference:
        Mahendran, Vedaldi 2015, arXiv:1412.0035, equation 4 (there a sum, which grows with size).
    """
    if exponent < 1:
        raise ValueError(f"exponent is {exponent}; it must be at least 1")
    if min(image.shape[2:]) < 2:
        raise ValueError(f"a picture of {tuple(image.shape)} has no neighbours to compare")
    corner = image[..., :-1, :-1]
    across = image[..., :-1, 1:] - corner
    down = image[..., 1:, :-1] - corner
    return (across.square() + down.square()).pow(exponent).flatten(1).mean(1)


def range_loss(image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
    """How far a picture leaves [0, 1]: the mean squared excess.

    A penalty in place of clamping: to clamp inside an optimisation changes the picture behind the
    back of L-BFGS, whose stored differences are then wrong.

    Args:
        image: RGB, meant to lie in [0, 1].

    Returns:
        One value for each picture; 0 where all of it lies inside.
    """
    return (image - image.clamp(0, 1)).square().flatten(1).mean(1)


def _check_shapes(what: str, got: Tensor, target: Tensor) -> None:
    if got.shape[1:] != target.shape[1:] or target.shape[0] not in (1, got.shape[0]):
        raise ValueError(
            f"{what} of shape {tuple(got.shape)} cannot be compared with a target of shape "
            f"{tuple(target.shape)}; all but the first axis must agree, and the target's first "
            "axis must be 1 or the number of pictures"
        )
