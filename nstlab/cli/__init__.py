"""The command line: `nstlab stylize CONTENT STYLE -o out.png`, and what belongs to it.

| exit code | meaning                                            |
|-----------|----------------------------------------------------|
| 0         | done                                               |
| 1         | it did not work; one line on stderr says why       |
| 2         | the command line makes no sense                    |
| 130       | interrupted by Ctrl-C; the picture so far is saved |
"""

import sys
from collections.abc import Sequence
from io import TextIOWrapper

import torch

from nstlab.checkpoints import RecordError
from nstlab.cli.arguments import parse
from nstlab.cli.bench import bench
from nstlab.cli.commands import paint, rerun_picture
from nstlab.cli.info import info
from nstlab.cli.show import silence, write_line
from nstlab.cli.teach import teach
from nstlab.estimate import RoomError
from nstlab.images import PictureError
from nstlab.weights import WeightsError

OURS = (PictureError, RecordError, RoomError, WeightsError, FloatingPointError)
FORESEEN = (*OURS, ValueError, OSError)  # of the last two, some may come from a mistake of ours
TOO_LITTLE_MEMORY = ("not enough memory", "out of memory", "can't allocate memory")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after the program's name; None for those it was started with.

    Returns:
        The exit code.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if argv is None and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not have every letter
    try:
        args = parse(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    try:
        if args.command == "info":
            code = info(args)
        elif args.command == "distill":
            code = teach(args)
        elif args.command == "bench":
            code = bench(args)
        else:
            code = rerun_picture(args) if args.command == "rerun" else paint(args, words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has gone; keep Python from failing again when it flushes.
        silence(sys.stdout)
        return 1
    except (*FORESEEN, MemoryError, RuntimeError) as error:
        if args.debug:
            raise
        if _is_about_memory(error):
            return _fail("error: not enough memory for this; choose a smaller --size")
        if isinstance(error, OURS):
            return _fail(f"error: {error}")
        if isinstance(error, FORESEEN):
            return _fail(f"error: {error} (--debug shows where)")
        raise


def _is_about_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in TOO_LITTLE_MEMORY)
    )


def _fail(message: str, code: int = 1) -> int:
    write_line(f"nstlab: {message}", sys.stderr)
    return code
