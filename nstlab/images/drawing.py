"""Words on pictures, and several pictures as one GIF."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nstlab.images.sizes import PictureError

COLOURS = 256  # that one frame of a GIF can have
SAMPLE = 96  # pixels, longer side of the copy from which they are chosen


def draw_label(frame: UInt8[Tensor, "3 h w"], text: str) -> UInt8[Tensor, "3 h w"]:
    """Write a few words into the lower left corner, white on a dark box that lets a little through.

    Args:
        frame: RGB, 0 to 255.
        text: one line; it is written smaller where the picture is narrow.

    Returns:
        A new picture of the same size.
    """
    image = _to_pil(frame).convert("RGBA")
    size = max(9, round(0.05 * min(image.size)))
    while True:
        font = ImageFont.load_default(size)
        left, _, right, _ = font.getbbox(text)
        pad, gap = round(0.45 * size), round(0.5 * size)
        width = round(right - left) + 2 * pad
        if width + gap <= image.width or size <= 6:
            break
        size -= 1
    height = round(1.2 * size) + pad
    box_top = image.height - gap - height
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    box = (gap, box_top, gap + width, box_top + height)
    draw.rounded_rectangle(box, radius=round(0.35 * size), fill=(0, 0, 0, 165))
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    draw.text(middle, text, font=font, fill="white", anchor="mm")
    return _to_tensor(Image.alpha_composite(image, layer).convert("RGB"))


def encode_gif(
    frames: Sequence[UInt8[Tensor, "3 h w"]], seconds: Sequence[float], loop: bool = True
) -> bytes:
    """Pictures of one size as the bytes of an animated GIF, each with its own 256 dithered colours.

    Args:
        frames: RGB, 0 to 255; at least one.
        seconds: how long each is shown; GIF counts in hundredths.
        loop: whether to begin again at the end, for ever.

    Returns:
        The bytes of a file.

    Raises:
        PictureError: no frame, sizes that differ, or a number of times that does not fit.
    """
    sizes = {tuple(frame.shape[1:]) for frame in frames}
    if len(sizes) != 1 or len(seconds) != len(frames):
        raise PictureError(
            f"a GIF needs frames of one size and a time for each, got {len(frames)} frames of "
            f"sizes {sorted(sizes)} and {len(seconds)} times"
        )
    images = [_with_palette(_to_pil(frame)) for frame in frames]
    file = BytesIO()
    images[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=[10 * max(2, round(100 * each)) for each in seconds],
        disposal=1,
        optimize=False,
        **({"loop": 0} if loop else {}),
    )
    return file.getvalue()


def _with_palette(image: Image.Image) -> Image.Image:
    # From a small copy, as good and fifty times faster; pixels are left out, not mixed.
    small = image.copy()
    small.thumbnail((SAMPLE, SAMPLE), Image.Resampling.NEAREST)
    palette = small.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1)
    # Pillow dithers only towards a palette that is there already.
    return image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _to_pil(frame: Tensor) -> Image.Image:
    if frame.ndim != 3 or frame.shape[0] != 3 or frame.dtype != torch.uint8:
        raise PictureError(
            f"expected one 8-bit frame (3, h, w), got {frame.dtype} {tuple(frame.shape)}"
        )
    return Image.fromarray(frame.permute(1, 2, 0).contiguous().cpu().numpy())


def _to_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
