"""What a picture is, and its size: the checks, scaling, covering."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate


class PictureError(ValueError):
    """A picture that cannot be read, used or written; the message says what to do."""


def check_picture(image: object) -> None:
    """Make sure that this is a batch of RGB pictures: floats (b, 3, h, w), all of them finite.

    Args:
        image: anything.

    Raises:
        PictureError: another shape, another type of number, no pixels, NaN or infinity.
    """
    if not isinstance(image, Tensor):
        raise PictureError(
            f"expected a tensor (b, 3, h, w), got a {type(image).__name__}; "
            "open files with load_picture and PIL images with from_pil"
        )
    if image.ndim != 4 or image.shape[1] != 3 or image.numel() == 0:
        raise PictureError(
            f"expected RGB pictures (b, 3, h, w) with at least one pixel, got shape "
            f"{tuple(image.shape)}; for one picture (3, h, w) use image.unsqueeze(0)"
        )
    if not image.is_floating_point():
        raise PictureError(
            f"expected floating-point numbers in [0, 1], got {image.dtype}; "
            "for values 0 to 255 use image.float() / 255"
        )
    if not image.isfinite().all():
        raise PictureError(
            "the picture holds NaN or infinity; expected finite values in [0, 1]: "
            "look for the step that made them, or use image.nan_to_num()"
        )


def fitted_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width with a longer side of `size` pixels and the same proportions.

    Args:
        height: before, pixels.
        width: before, pixels.
        size: the longer side after.

    Returns:
        (height, width), rounded, each at least 1.

    Raises:
        PictureError: a size below 1.

    Example:
        >>> fitted_shape(200, 100, 50)
        (50, 25)
    """
    if size < 1:
        raise PictureError(f"cannot resize to {size}; every side must be 1 pixel or more")
    scale = size / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(
    image: Float[Tensor, "b 3 h w"], size: int | tuple[int, int]
) -> Float[Tensor, "b 3 new_h new_w"]:
    """Scale pictures with an antialiased bicubic filter, clamped to [0, 1].

    Args:
        image: RGB in [0, 1], any device.
        size: the longer side in pixels (the aspect ratio is kept, the other side rounded and at
            least 1), or (height, width).

    Returns:
        Same type and device; the picture itself where the size is the same already.

    Raises:
        PictureError: a size below 1.

    Example:
        >>> import torch
        >>> resize(torch.zeros(1, 3, 200, 100), 50).shape
        torch.Size([1, 3, 50, 25])
    """
    height, width = image.shape[-2:]
    wanted = fitted_shape(height, width, size) if isinstance(size, int) else size
    if min(wanted) < 1:
        raise PictureError(f"cannot resize to {size}; every side must be 1 pixel or more")
    if wanted == (height, width):
        return image
    # torch 2.6 has no antialiased bicubic kernel for Apple's GPUs.
    source = image.cpu() if image.device.type == "mps" else image
    scaled = interpolate(source, wanted, mode="bicubic", antialias=True, align_corners=False)
    return scaled.clamp(0, 1).to(image.device)


def scale_to_cover(
    image: Float[Tensor, "b 3 h w"], height: int, width: int
) -> Float[Tensor, "b 3 new_h new_w"]:
    """Scale pictures as little as covers height × width, then crop the middle to exactly that.

    Args:
        image: RGB in [0, 1].
        height: of the result, pixels.
        width: of the result, pixels.

    Returns:
        The middle of the picture, without distortion.

    Raises:
        PictureError: a side below 1.

    Example:
        >>> import torch
        >>> scale_to_cover(torch.zeros(1, 3, 20, 40), 30, 30).shape
        torch.Size([1, 3, 30, 30])
    """
    if min(height, width) < 1:
        raise PictureError(f"cannot cover {height} × {width}; every side must be 1 pixel or more")
    old_height, old_width = image.shape[-2:]
    scale = max(height / old_height, width / old_width)
    covering = (max(height, round(old_height * scale)), max(width, round(old_width * scale)))
    scaled = resize(image, covering)
    top, left = (covering[0] - height) // 2, (covering[1] - width) // 2
    return scaled[..., top : top + height, left : left + width]
