"""Pictures to files, with words kept inside them; complete or not there, never half written."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import ExifTags, Image, PngImagePlugin
from torch import Tensor

from nstlab.images.reading import opened
from nstlab.images.sizes import PictureError, check_picture

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
SUFFIXES = tuple(_FORMATS)
_DESCRIPTION = ExifTags.Base.ImageDescription


class PictureExistsError(PictureError, FileExistsError):
    """The file to be written is there already."""


def to_pil(image: Float[Tensor, "b 3 h w"], index: int = 0) -> Image.Image:
    """One picture of the batch as an 8-bit PIL image, clamped to [0, 1] and rounded.

    Args:
        image: RGB; values outside [0, 1] are clamped.
        index: which picture of the batch.

    Returns:
        A PIL image of mode RGB.

    Raises:
        PictureError: not a picture (see `check_picture`), or no such index.
    """
    check_picture(image)
    if not -len(image) <= index < len(image):
        raise PictureError(f"no picture {index} in a batch of {len(image)}; the first is 0")
    pixels = image[index].detach().cpu().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def check_writable(
    path: str | Path, overwrite: bool = False, suffixes: Sequence[str] = SUFFIXES
) -> None:
    """Find out before a long run whether a picture can be saved there.

    Args:
        path: the file to be written later.
        overwrite: whether a file that is there may be replaced.
        suffixes: the kinds of file allowed.

    Raises:
        PictureExistsError: the file exists and `overwrite` is false.
        PictureError: unknown suffix, no such folder, or a folder that cannot be written to.
    """
    target = Path(path).expanduser()
    if target.suffix.lower() not in suffixes:
        raise PictureError(
            f"cannot write {str(path)!r}: the name must end in one of {', '.join(suffixes)}"
        )
    if not target.parent.is_dir():
        raise PictureError(
            f"cannot write {str(path)!r}: there is no folder {str(target.parent)!r}; "
            "make it first or choose another"
        )
    if target.is_dir():
        raise PictureError(f"cannot write {str(path)!r}: it is a folder; choose another name")
    if target.exists() and not overwrite:
        raise PictureExistsError(
            f"{str(path)!r} exists already; choose another name or allow overwriting"
        )
    probe = _beside(target)
    try:
        # Trying is the only sure test: permissions lie for root and on network drives.
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise _cannot_write(path, error) from error


def save_picture(
    image: Float[Tensor, "b 3 h w"],
    path: str | Path,
    info: Mapping[str, str] | None = None,
    index: int = 0,
) -> Path:
    """Write one picture of the batch; the file is complete or not there, never half written.

    `info` goes into the file as JSON: a PNG's `iTXt` chunk `nstlab`, a JPEG's comment, the EXIF
    description of the others. A file that is there is replaced.

    Args:
        image: RGB in [0, 1]; values outside are clamped.
        path: ends in one of `SUFFIXES`. JPEG has quality 95; PNG and TIFF lose nothing.
        info: words to keep with the picture, to be read by `read_info`.
        index: which picture of the batch.

    Returns:
        The path.

    Raises:
        PictureError: unknown suffix, a place that cannot be written to, or `info` too long for the
            format.
    """
    check_writable(path, overwrite=True)
    target = Path(path).expanduser()
    kind = _FORMATS[target.suffix.lower()]
    write_atomically(target, _encoded(to_pil(image, index), kind, 95, info or {}))
    return target


def read_info(path: str | Path) -> dict[str, str]:
    """The words that `save_picture` put into a file; empty for a picture without any.

    Args:
        path: a picture file.

    Returns:
        What was given as `info`; nothing that another program wrote.

    Raises:
        PictureError: the file cannot be read as a picture.
    """
    with opened(path) as image:
        texts = (image.info.get("nstlab"), image.info.get("comment"))
        for text in (*texts, image.getexif().get(_DESCRIPTION)):
            try:
                found = json.loads(text or "")["nstlab"]
            except (ValueError, TypeError, KeyError):
                continue
            if isinstance(found, dict):
                return {str(key): str(value) for key, value in found.items()}
    return {}


def encode(image: Float[Tensor, "b 3 h w"], format: str = "jpeg", quality: int = 90) -> bytes:
    """The first picture of the batch as the bytes of a file, for showing it.

    Args:
        image: RGB in [0, 1]; values outside are clamped.
        format: `jpeg`, `png`, `webp` or `tiff`.
        quality: 1 to 100, for `jpeg` and `webp`.

    Returns:
        The bytes.

    Raises:
        PictureError: another format, or a picture too large for it.
    """
    kind = _FORMATS.get(f".{format.lower()}")
    if kind is None:
        allowed = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise PictureError(f"unknown format {format!r}; it can be {allowed}")
    return _encoded(to_pil(image), kind, quality, {})


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that others see all of it or nothing.

    Args:
        path: the file; replaced if it is there. A link stays a link.
        data: its content.

    Raises:
        PictureError: it cannot be written.
    """
    target = path.resolve()
    part = _beside(target)
    try:
        part.write_bytes(data)
        os.replace(part, target)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _encoded(image: Image.Image, kind: str, quality: int, info: Mapping[str, str]) -> bytes:
    text = json.dumps({"nstlab": dict(info)}) if info else ""
    options: dict[str, object] = {}
    if kind in ("JPEG", "WEBP"):
        options["quality"] = quality
    if kind == "JPEG":
        options |= {"subsampling": 0, "comment": text.encode()}
    elif kind == "TIFF":
        options["compression"] = "tiff_deflate"
    if text and kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("nstlab", text)
        options["pnginfo"] = chunks
    elif text and kind != "JPEG":
        exif = Image.Exif()
        exif[_DESCRIPTION] = text
        options["exif"] = exif
    if kind != "PNG" and len(text) > 60_000:
        raise PictureError(f"{len(text)} bytes of info do not fit into a {kind}; save a .png")
    file = BytesIO()
    try:
        image.save(file, kind, **options)
    except (OSError, ValueError, KeyError) as error:
        size = f"{image.width} × {image.height}"
        raise PictureError(f"cannot write {size} pixels as {kind} ({error}); use PNG") from error
    return file.getvalue()


def _beside(target: Path) -> Path:
    return target.with_name(f".{secrets.token_hex(8)}.part")


def _cannot_write(path: str | Path, error: OSError) -> PictureError:
    reason = error.strerror or type(error).__name__
    return PictureError(f"cannot write {str(path)!r}: {reason}; choose another place")
