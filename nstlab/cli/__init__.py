"""The command line: `nstlab stylize CONTENT STYLE -o out.png`, and what belongs to it.

| exit code | meaning                                            |
|-----------|----------------------------------------------------|
| 0         | done                                               |
| 1         | it did not work; one line on stderr says why       |
| 2         | the command line makes no sense                    |
| 130       | interrupted by Ctrl-C; the picture so far is saved |
"""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from nstlab.cli.arguments import parse
from nstlab.cli.commands import paint, rerun_picture
from nstlab.cli.info import info
from nstlab.weights import WeightsError

EXPECTED = (ValueError, WeightsError, FloatingPointError, OSError)


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
        else:
            code = rerun_picture(args) if args.command == "rerun" else paint(args, words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has gone; keep Python from failing again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (*EXPECTED, MemoryError, RuntimeError) as error:
        if args.debug:
            raise
        if isinstance(error, EXPECTED):
            return _fail(f"error: {error}")
        if isinstance(error, MemoryError) or "memory" in str(error):
            return _fail("error: not enough memory for this; choose a smaller --size")
        raise


def _fail(message: str, code: int = 1) -> int:
    print(f"nstlab: {message}", file=sys.stderr)
    return code
