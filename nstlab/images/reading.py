"""Any picture file or PIL image to RGB in [0, 1]."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError
from torch import Tensor

from nstlab.images.sizes import PictureError

Source = str | Path | bytes | Image.Image

LARGEST = 150_000_000  # pixels; Pillow itself refuses a little above this
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_picture(source: Source) -> Float[Tensor, "1 3 h w"]:
    """Read a picture as RGB in [0, 1], whatever its format, depth, profile and orientation.

    See `from_pil` for what is done to the pixels. Of an animation the first frame is read.

    Args:
        source: a file's path, a file's bytes, or a PIL image.

    Returns:
        float32, on the CPU.

    Raises:
        PictureError: no such file, not a picture, damaged, or more than `LARGEST` pixels (found
            from the header, before anything is decoded).
        TypeError: a source of another kind.
    """
    if isinstance(source, Image.Image):
        return from_pil(source)
    if not isinstance(source, str | Path | bytes):
        raise TypeError(
            f"cannot open a {type(source).__name__} as a picture; it can be a path, bytes or a "
            "PIL image (for an array use PIL.Image.fromarray)"
        )
    with opened(source) as image:
        return _to_tensor(image)


def from_pil(image: Image.Image) -> Float[Tensor, "1 3 h w"]:
    """Turn a PIL image of any mode into RGB in [0, 1].

    The EXIF orientation is applied, an embedded colour profile is converted to sRGB (where it can
    be used), and transparency is laid over white. 16-bit grey is divided by 65535. 32-bit integers
    are taken as 16-bit values unless one is larger; floating-point values are taken as they are
    unless one is above 1; in both cases the largest value then becomes white.

    Args:
        image: any PIL image with at least one pixel.

    Returns:
        float32, on the CPU.

    Raises:
        PictureError: the image cannot be decoded, is empty or larger than `LARGEST`.
    """
    with _clear_errors("the PIL image"):
        _check_size("the PIL image", image)
        return _to_tensor(image)


@contextmanager
def opened(source: str | Path | bytes) -> Iterator[Image.Image]:
    """Open a picture of which only the header is read, with every failure a `PictureError`.

    Args:
        source: a file's path or bytes.

    Yields:
        The image; what is done with it in the block may fail and is told as clearly.

    Raises:
        PictureError: no such file, not a picture, damaged, or larger than `LARGEST`.
    """
    if isinstance(source, bytes):
        what, size, file = f"the data ({len(source)} bytes)", len(source), BytesIO(source)
    else:
        what, file = repr(str(source)), Path(source).expanduser()
        size = _file_size(what, file)
    if size == 0:
        raise PictureError(f"{what} is empty, not a picture; get the file again")
    Image.init()
    # Pillow would hand PostScript to an outside program, so EPS is not read.
    readable = [name for name in Image.OPEN if name != "EPS"]
    with _clear_errors(what), Image.open(file, formats=readable) as image:
        _check_size(what, image)
        yield image


def _file_size(what: str, path: Path) -> int:
    try:
        if path.is_file():
            return path.stat().st_size
        if path.is_dir():
            raise PictureError(f"{what} is a folder; name a picture file in it")
        if path.exists():
            raise PictureError(f"{what} is not a regular file; name a picture file")
    except OSError as error:
        raise PictureError(f"cannot read {what}: {error.strerror}; name a picture file") from error
    raise PictureError(f"there is no file {what}; look at its spelling and folder")


@contextmanager
def _clear_errors(what: str) -> Iterator[None]:
    """Turn whatever Pillow raises into one sentence, and keep its warnings inside."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (PictureError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(f"{what} is larger")) from error
    except UnidentifiedImageError as error:
        known = [
            name for name in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP") if name in Image.OPEN
        ]
        raise PictureError(
            f"{what} is not a picture that can be read here ({', '.join(known)} and some others "
            "can be); convert it to JPEG or PNG first"
        ) from error
    except Exception as error:  # on damaged files Pillow's readers raise nearly every kind
        reason = str(error) or type(error).__name__
        raise PictureError(
            f"{what} is damaged, cut short or of a rare kind ({reason}); "
            "get the file again, or convert it to JPEG or PNG"
        ) from error


def _too_large(size: str) -> str:
    return f"{size}; at most {LARGEST // 10**6} megapixels are read: scale it down first"


def _check_size(what: str, image: Image.Image) -> None:
    size = f"{what} has {image.width} × {image.height} pixels"
    if image.width * image.height > LARGEST:
        raise PictureError(_too_large(size))
    if 0 in image.size:
        raise PictureError(f"{size}; it needs at least one")


def _to_tensor(image: Image.Image) -> Float[Tensor, "1 3 h w"]:
    image.load()
    image = _upright(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = torch.from_numpy(_scaled(image)).float().clamp(0, 1)
        return grey.expand(1, 3, *grey.shape).contiguous()
    if image.mode in ("La", "RGBa"):  # colours already multiplied by the opacity
        image = image.convert(image.mode.upper())
    rgb = _to_srgb(image)
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)
    pixels = torch.from_numpy(np.array(rgb, dtype=np.uint8))
    return pixels.permute(2, 0, 1).unsqueeze(0).float().div(255).contiguous()


def _scaled(image: Image.Image) -> np.ndarray:
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise PictureError("the picture holds NaN or infinity; save it again with finite values")
    usual = 1.0 if image.mode == "F" else 65535.0
    return values / (usual if values.max() <= usual else values.max())


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # unreadable EXIF must not keep anybody from the pixels
        turn = None
    return image if turn is None else image.transpose(turn)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Opaque RGB in sRGB; an unusable colour profile is left aside."""
    grey = image.mode in ("1", "L", "LA")
    fitting = {"CMYK": "CMYK"} if image.mode == "CMYK" else {"RGB": "RGB"}
    fitting |= {"GRAY": "L"} if grey else {}
    try:
        if image.mode == "LAB":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
            fitting = {"Lab": "LAB"}
        else:
            profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
        space = profile.profile.xcolor_space  # pyright: ignore[reportAttributeAccessIssue]
        pixels = image.convert(fitting[space.strip()])
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(pixels, profile, srgb, outputMode="RGB")
        return converted or image.convert("RGB")
    except (ImageCms.PyCMSError, ImportError, KeyError, OSError, TypeError, ValueError):
        return image.convert("RGB")
