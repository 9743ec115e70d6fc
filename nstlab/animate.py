"""The frames of a run as an animation: GIF, or video where imageio-ffmpeg is installed."""

import math
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from nstlab.images import PictureError, check_writable, write_atomically
from nstlab.images.drawing import draw_label, encode_gif
from nstlab.runs import Run

CODECS = {
    ".mp4": ("libx264", "-crf", "16"),
    ".webm": ("libvpx-vp9", "-crf", "24", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "6"),
}
VIDEO_SUFFIXES = tuple(CODECS)
SUFFIXES = (".gif", *VIDEO_SUFFIXES)
VIDEO_RATE = 24  # frames a second at least, since players stumble over slower videos
Frame = UInt8[Tensor, "3 h w"]


def save_animation(
    run: Run,
    path: str | Path,
    *,
    frames_per_second: float = 2.0,
    labels: bool = True,
    curve: bool = False,
    hold_last: float = 2.0,
    loop: bool = True,
    index: int = 0,
) -> Path:
    """Show how a picture came to be: the frames of a run one after the other.

    Args:
        run: made with `frame_every` above 0.
        path: ends in `.gif`, `.mp4` or `.webm`; a file that is there is replaced in one step.
        frames_per_second: at most 50.
        labels: whether to write the number of steps on each frame.
        curve: whether to draw the total loss beside the picture, growing step by step.
        hold_last: seconds that the last frame is shown.
        loop: whether a GIF begins again at its end; videos leave that to the player.
        index: which picture of the batch.

    Returns:
        The path written.

    Raises:
        ValueError: the run has no frames, or a number is out of range.
        PictureError: another suffix, a place that cannot be written to, or a video without
            imageio-ffmpeg.
    """
    check_animation(path, overwrite=True)
    if not run.frames:
        raise ValueError(
            "the run kept no frames; make it with frame_every=10 (for a frame each 10 steps)"
        )
    if not 0 < frames_per_second <= 50:
        raise ValueError(
            f"frames_per_second is {frames_per_second}; it must be above 0, at most 50"
        )
    if not 0 <= hold_last < math.inf:
        raise ValueError(f"hold_last is {hold_last} seconds; it must be 0 or more")
    steps = sorted(run.frames)
    frames = [run.frames[step][index] for step in steps]
    if labels:
        frames = [_labelled(frame, step) for frame, step in zip(frames, steps, strict=True)]
    if curve:
        frames = _beside_curves(frames, steps, run.curve(index=index))
    times = [1 / frames_per_second] * len(frames)
    times[-1] = max(times[-1], hold_last)
    target = Path(path).expanduser()
    if target.suffix.lower() == ".gif":
        write_atomically(target, encode_gif(frames, times, loop))
    else:
        _write_video(target, frames, times)
    return target


def check_animation(path: str | Path, overwrite: bool = False) -> None:
    """Find out before a long run whether an animation can be saved there.

    Args:
        path: the file to be written later.
        overwrite: whether a file that is there may be replaced.

    Raises:
        PictureExistsError: the file exists and `overwrite` is false.
        PictureError: another suffix, a place that cannot be written to, or a video without
            imageio-ffmpeg.
    """
    check_writable(path, overwrite, SUFFIXES)
    if Path(path).suffix.lower() in VIDEO_SUFFIXES:
        try:
            import imageio_ffmpeg

            imageio_ffmpeg.get_ffmpeg_exe()
        except (ImportError, RuntimeError) as error:
            raise PictureError(
                f"cannot write {str(path)!r}: videos need imageio-ffmpeg; get it by pip install "
                '"nstlab[video]", or save a .gif'
            ) from error


def _labelled(frame: Tensor, step: int) -> Tensor:
    return draw_label(frame, "start" if step == 0 else f"step {step}")


def _beside_curves(
    frames: Sequence[Tensor], steps: Sequence[int], losses: Sequence[float]
) -> list[Tensor]:
    """Each frame with the loss so far to its right, on white."""
    from nstlab.plots import draw_growing_curve

    height = max(frames[0].shape[1], 200)
    drawn = []
    for frame, step in zip(frames, steps, strict=True):
        plot = draw_growing_curve(losses, step, height)
        page = plot.new_full((3, height, frame.shape[2]), 255)
        top = (height - frame.shape[1]) // 2
        page[:, top : top + frame.shape[1]] = frame
        drawn.append(torch.cat([page, plot], dim=2))
    return drawn


def _write_video(path: Path, frames: Sequence[Tensor], times: Sequence[float]) -> None:
    import imageio_ffmpeg

    # Colours are stored for 2 × 2 pixels, so both sides have to be even.
    pages = [_even(frame).permute(1, 2, 0).contiguous().numpy() for frame in frames]
    height, width = pages[0].shape[:2]
    codec, *options = CODECS[path.suffix.lower()]
    part = path.resolve().with_name(f".{secrets.token_hex(8)}.part{path.suffix}")
    try:
        writer = imageio_ffmpeg.write_frames(
            str(part),
            (width, height),
            fps=VIDEO_RATE,
            codec=codec,
            quality=None,  # pyright: ignore[reportArgumentType]
            macro_block_size=1,
            ffmpeg_log_level="error",
            output_params=options,
        )
        writer.send(None)
        for page, seconds in zip(pages, times, strict=True):
            for _ in range(max(1, round(seconds * VIDEO_RATE))):
                writer.send(page)
        writer.close()
        os.replace(part, path.resolve())
    except OSError as error:
        raise PictureError(f"cannot write {str(path)!r}: {error}; choose another place") from error
    finally:
        part.unlink(missing_ok=True)


def _even(frame: Tensor) -> Tensor:
    """The frame with its last row and column repeated where its height or width is odd."""
    height, width = frame.shape[1:]
    taller = torch.cat([frame, frame[:, -1:]], dim=1) if height % 2 else frame
    return torch.cat([taller, taller[:, :, -1:]], dim=2) if width % 2 else taller
