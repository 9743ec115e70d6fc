"""One picture from the network: fetched, checked, and only then kept."""

from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from nstlab.images import PictureError, open_picture, write_atomically
from nstlab.runtime import versions

LARGEST_DOWNLOAD = 100 * 10**6  # bytes
_PATIENCE = 30  # seconds without a byte from the server


@runtime_checkable
class _Answer(Protocol):
    def close(self) -> None: ...


class _Limited(BytesIO):
    """Memory that refuses more than `LARGEST_DOWNLOAD` bytes."""

    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.tell() + len(data) > LARGEST_DOWNLOAD:
            raise PictureError(f"it is larger than {LARGEST_DOWNLOAD // 10**6} MB")
        return super().write(data)


def download(address: str, file: Path, what: str, ways_out: str, smallest_side: int = 1) -> Path:
    """Fetch a picture into a file; nothing of a bad download is kept.

    Args:
        address: http or https.
        file: where to keep it; its folder is made if need be.
        what: the picture, as error messages call it.
        ways_out: what else the user can do, the end of the error messages.
        smallest_side: pixels that a usable picture has at least on each side.

    Returns:
        The file.

    Raises:
        PictureError: no connection, an answer other than success, more than `LARGEST_DOWNLOAD`
            bytes, no picture, one with a side below `smallest_side`, or no place to keep it.
    """
    host = urlsplit(address).hostname or address
    try:
        data = _receive(address)
        height, width = open_picture(data).shape[-2:]
        if min(height, width) < smallest_side:
            raise PictureError(
                f"it has {width} × {height} pixels, fewer than {smallest_side} on a side"
            )
    except PictureError as error:
        reason = str(error).partition(";")[0]
        raise PictureError(
            f"what {host} sent for {what} cannot be used: {reason}; {ways_out}"
        ) from error
    except (OSError, ValueError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"the server answered {status}" if status else type(error).__name__
        raise PictureError(
            f"{what} could not be downloaded from {host} ({reason}); {ways_out}"
        ) from error
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(
            f"cannot make the folder {str(file.parent)!r} ({error.strerror}); "
            "let NSTLAB_CACHE name one that can be written to"
        ) from error
    write_atomically(file, data)
    return file


def _receive(address: str) -> bytes:
    import pooch

    received = _Limited()
    with ExitStack() as answers:

        def close_later(answer: _Answer, **_options: object) -> None:
            answers.callback(answer.close)  # pooch itself leaves failed downloads open

        name = f"nstlab/{versions()['nstlab']} (neural style transfer, for teaching)"
        fetch = pooch.HTTPDownloader(
            chunk_size=2**16,
            timeout=_PATIENCE,
            headers={"User-Agent": name},
            hooks={"response": close_later},
        )
        fetch(address, received, None)
    return received.getvalue()
