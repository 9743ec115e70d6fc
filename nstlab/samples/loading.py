"""From whatever names a picture to its pixels, its file, and its fingerprint."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import torch
from jaxtyping import Float
from torch import Tensor

from nstlab.images import (
    SUFFIXES,
    PictureError,
    Source,
    check_picture,
    open_picture,
    resize,
)
from nstlab.runtime import cache_folder
from nstlab.samples.downloads import download
from nstlab.samples.table import bundled_file, catalogue
from nstlab.words import did_you_mean

SMALLEST_PAINTING = 300  # pixels a side; placeholders that a server sends instead are smaller
OVERSHOOT = 0.01  # share of values below -0.5 or above 1.5 in the result of a short run
FURTHEST = 10.0  # from zero; 0 to 255 is another matter


@dataclass(frozen=True)
class PictureId:
    """What a record keeps of a picture: enough to know it again, nothing of where it lay.

    Attributes:
        name: its name in the catalogue, or its file name without folders; `in memory` for
            pictures that come from no file.
        sha256: of the file's bytes; of the size and the float32 RGB pixels for PIL images and
            tensors.
    """

    name: str
    sha256: str


def load_picture(
    source: Source | Tensor, size: int | tuple[int, int] | None = None
) -> Float[Tensor, "1 3 h w"]:
    """A picture by its name, path or address, as RGB in [0, 1].

    A string is looked up in the catalogue first; anything else, such as `photo.jpg` or
    `./astronaut`, is a path. Paintings and addresses are downloaded once, into the cache.

    Args:
        source: a name of `catalogue()`, a path, an address (http or https), the bytes of a file,
            a PIL image, or a tensor (1, 3, h, w), which is checked and passed on.
        size: the longer side in pixels, or (height, width); None leaves it as it is.

    Returns:
        float32 on the CPU; a tensor keeps its type and device.

    Raises:
        PictureError: no such name or file, not a picture, or a download that failed.

    Example:
        >>> load_picture("chelsea", size=64).shape
        torch.Size([1, 3, 43, 64])
    """
    if isinstance(source, Tensor):
        picture = _checked(source)
    elif isinstance(source, str | Path):
        picture = open_picture(_locate(source)[1])
    else:
        picture = open_picture(source)
    return picture if size is None else resize(picture, size)


def identify(source: Source | Tensor) -> PictureId:
    """The name and fingerprint of a picture, for records; no folder and no query of an address.

    Args:
        source: as for `load_picture`.

    Returns:
        The same for the same picture on every machine.

    Raises:
        PictureError: as for `load_picture`.

    Example:
        >>> identify(torch.zeros(1, 3, 2, 2)).name
        'in memory'
    """
    if isinstance(source, str | Path):
        name, path = _locate(source)
        try:
            with path.open("rb") as file:
                return PictureId(name, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise PictureError(
                f"cannot read {str(source)!r}: {reason}; name a picture file"
            ) from error
    if isinstance(source, bytes):
        return PictureId("in memory", hashlib.sha256(source).hexdigest())
    picture = _checked(source) if isinstance(source, Tensor) else open_picture(source)
    pixels = picture.detach().cpu().to(torch.float32).contiguous().numpy()
    size = "×".join(map(str, pixels.shape)).encode()
    return PictureId("in memory", hashlib.sha256(size + pixels.tobytes()).hexdigest())


def fetch(name: str) -> Path:
    """The file of a picture of the catalogue, downloaded into the cache if it is a painting.

    A file that lies in the cache folder under the painting's name is taken as it is, so one can be
    put there by hand.

    Args:
        name: one of `catalogue()`.

    Returns:
        An existing file.

    Raises:
        PictureError: no such name, no connection, or what came is not a usable picture; nothing
            of a bad download is kept.
    """
    sample = catalogue().get(name)
    if sample is None:
        raise PictureError(_unknown_name(name))
    if sample.kind != "painting":
        return bundled_file(sample)
    file = cache_folder() / "pictures" / f"{name}.jpg"
    for kept in (file.with_suffix(suffix) for suffix in SUFFIXES):
        if kept.is_file():
            return kept
    ways_out = (
        "use a bundled style such as 'swirls_1', give a picture file of your own, or put the "
        f"painting at {str(file)!r} by hand (NSTLAB_CACHE chooses that folder)"
    )
    return download(sample.source, file, repr(sample.title), ways_out, SMALLEST_PAINTING)


def _locate(source: str | Path) -> tuple[str, Path]:
    """A name for records, and the file."""
    if isinstance(source, str):
        if source in catalogue():
            return source, fetch(source)
        if scheme := re.match(r"([a-z][a-z0-9+.-]*)://", source, re.IGNORECASE):
            return _locate_address(source, scheme[1])
        if not _exists(source):
            raise PictureError(_unknown_name(source))
    path = Path(source).expanduser()
    return path.name, path


def _locate_address(address: str, scheme: str) -> tuple[str, Path]:
    if scheme.lower() not in ("http", "https"):
        raise PictureError(
            f"cannot read a {scheme}:// address; it can begin with http:// or https://, "
            "or be a path without any of these"
        )
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise PictureError(f"{address!r} is not an address ({error}); look at it again") from error
    name = PurePosixPath(unquote(parts.path)).name or parts.hostname or "address"
    plain = re.sub(r"[^\w.-]", "_", name)[-80:]
    key = hashlib.sha256(address.encode()).hexdigest()[:16]
    file = cache_folder() / "pictures" / f"{key}-{plain}"
    if not file.is_file():
        ways_out = "save it from a browser and give the path of that file"
        download(address, file, repr(name), ways_out)
    return name, file


def _exists(path: str) -> bool:
    try:
        return bool(path) and Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a null byte
        return False


def _unknown_name(name: str) -> str:
    known = list(catalogue())
    path = Path(name)
    plain = re.sub(r"\W+", "_", path.stem.lower())
    hint = did_you_mean(plain, known)
    if path.suffix or path.name != name:
        return f"there is no file {name!r}{hint}; look at its spelling and folder"
    return (
        f"no picture is named {name!r}{hint}, nor is there such a file; names: {', '.join(known)}"
    )


def _checked(picture: Tensor) -> Float[Tensor, "1 3 h w"]:
    check_picture(picture)
    if len(picture) != 1:
        raise PictureError(
            f"expected one picture, got a batch of {len(picture)}; for the first use picture[:1]"
        )
    low, high = picture.min().item(), picture.max().item()
    beyond = ((picture < -0.5) | (picture > 1.5)).float().mean().item()
    if beyond > OVERSHOOT or max(-low, high) > FURTHEST:
        raise PictureError(
            f"expected values in [0, 1], got {low:.3g} to {high:.3g}; "
            "divide 0 to 255 by 255, and leave normalisation to the encoder"
        )
    return picture
