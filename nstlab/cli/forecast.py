"""What is said before a run: how long it will take, how much memory it needs, whether it fits."""

import sys
from argparse import Namespace, _ActionsContainer
from collections.abc import Sequence

import torch

from nstlab.cli.show import Progress, write_line
from nstlab.encoders import Encoder
from nstlab.estimate import Estimate, RoomError, estimate, in_bytes, require_room
from nstlab.task import Shape
from nstlab.words import duration


def add_forecast(group: _ActionsContainer) -> None:
    """The options that concern what is said before a run.

    Args:
        group: of a command's options.
    """
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--estimate", action="store_true", help="print expected time and memory, and stop"
    )
    either.add_argument(
        "--anyway", action="store_true", help="start even if the memory will not be enough"
    )


def forecast(
    args: Namespace,
    encoder: Encoder,
    device: torch.device,
    shapes: Sequence[Shape],
    frame_every: int,
    progress: Progress,
) -> None:
    """Say what the run will need, and refuse one that does not fit.

    Args:
        args: the parsed command line of `stylize`, `invert` or `texture`.
        encoder: that the run uses.
        device: where it runs.
        shapes: height and width of its pictures as they are: content, styles, start.
        frame_every: steps between the frames that are kept; 0 for none.
        progress: of the run; with `--estimate` stdout takes its place.

    Raises:
        RoomError: the run does not fit, and `--anyway` was not given.
    """
    first = 1 if "content" in args else 0
    found = estimate(
        args.settings,
        kind=args.command,
        shape=shapes[0],
        styles=shapes[first : first + len(getattr(args, "style", []))],
        frames=args.settings.steps // frame_every + 2 if frame_every else 0,
        read=sum(height * width for height, width in shapes),
        encoder=encoder,
        device=device,
    )
    if args.estimate:
        write_line(in_words(found), sys.stdout)
    elif progress.shown:
        progress.tell(in_words(found))
    try:
        if not args.anyway:
            require_room(found, as_option)
    except RoomError as error:
        raise RoomError(f"{error}; --anyway starts it all the same", error.ways) from None


def in_words(found: Estimate) -> str:
    """An estimate in one line.

    Args:
        found: what `estimate` gave.

    Returns:
        Time of the run and of a step, size, memory, and how much of that is free.
    """
    height, width = found.work.result
    free = found.available_bytes
    return (
        f"expected: {duration(found.seconds)} for {found.work.settings.steps} steps at "
        f"{width} × {height} px, {in_bytes(found.peak_bytes)} of memory"
        + (f" ({in_bytes(free)} free)" if free is not None else "")
    )


def as_option(name: str, value: object) -> str:
    """A setting as it is written on the command line."""
    return f"--{name.replace('_', '-')} {value}"
