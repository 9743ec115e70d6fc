"""What the command line shows: progress on stderr, tidy columns on stdout."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOBase
from shutil import get_terminal_size
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

from nstlab.runs import Step
from nstlab.runtime import progress_wanted
from nstlab.words import duration

WIDEST = 100  # columns of the bar
Stream = TextIO | TextIOBase


class Progress:
    """A watcher of a run: a bar in a terminal, a line each tenth of the run in a log, or nothing.

    Messages of the run appear above the bar. Where stderr has gone, nothing is shown any more, and
    the run goes on.
    """

    def __init__(self, quiet: bool = False) -> None:
        """Choose how to show it.

        Args:
            quiet: show nothing.
        """
        self.quiet = quiet or sys.stderr is None
        self.shown = progress_wanted() and not self.quiet
        self.bar: tqdm | None = None
        self.tenth: int | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            with suppress(OSError):
                self.bar.close()

    def __call__(self, step: Step) -> None:
        """Show one step of a run."""
        text = f"loss {step.loss:.4g}, {duration(step.seconds_left)} left"
        self.show(step.step, step.steps, text, step.message)

    def show(self, step: int, steps: int, text: str, message: str = "") -> None:
        """Show one step of anything.

        Args:
            step: steps done.
            steps: those there will be.
            text: stands behind the bar.
            message: goes above the bar, and stays.
        """
        if message:
            self.tell(message)
        if not self.shown:
            return
        try:
            if sys.stderr.isatty():
                self._move_bar(step, steps, text)
            else:
                self._sparse_line(step, steps, text)
        except OSError:
            self._fall_silent()

    def tell(self, message: str) -> None:
        """Write a line above the bar."""
        if self.quiet:
            return
        try:
            tqdm.write(message, file=sys.stderr)
        except OSError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        self.quiet, self.shown = True, False
        if self.bar is not None:
            self.bar.disable = True  # else it would write once more when it is collected
        silence(sys.stderr)

    def _move_bar(self, step: int, steps: int, text: str) -> None:
        if self.bar is None:
            self.bar = tqdm(
                total=steps,
                initial=step,
                file=sys.stderr,
                leave=False,
                delay=1e-9,  # else it writes before it is complete, and cannot fail cleanly
                ncols=min(WIDEST, get_terminal_size().columns),
                bar_format="{percentage:3.0f}% |{bar}| step {n_fmt} of {total_fmt}{postfix}",
            )
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(step - self.bar.n)

    def _sparse_line(self, step: int, steps: int, text: str) -> None:
        tenth = 10 * step // steps
        if self.tenth is not None and tenth > self.tenth:
            sys.stderr.write(f"step {step} of {steps}, {text}\n")
            sys.stderr.flush()
        self.tenth = tenth


def write_line(text: str, stream: Stream | None) -> None:
    """Write a line for people; where nobody reads any more, nothing is written from then on.

    Args:
        text: what to say; see `plain`.
        stream: stdout or stderr; None where the program was started without it.
    """
    if stream is None:
        return
    try:
        stream.write(plain(text) + "\n")
        stream.flush()
    except OSError:
        silence(stream)


def silence(stream: Stream) -> None:
    """Send what is still to be written there to nowhere, so that Python's own flush cannot fail.

    Args:
        stream: one whose reader has gone.
    """
    with suppress(OSError, ValueError):  # not every stream is a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def plain(text: str) -> str:
    r"""A text in one line without what would steer a terminal.

    Args:
        text: anything, such as a name out of a file.

    Returns:
        The text with a space for each line break or tab, and � for what cannot be printed.

    Example:
        >>> plain("a\x1b[2Jb\nc")
        'a�[2Jb c'
    """
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "�" for letter in text
    )


def columns(rows: Sequence[Sequence[str]], indent: int = 2) -> str:
    """Rows of words below one another in columns; see `plain` for what is not printable.

    Args:
        rows: any number of words each.
        indent: spaces before each row.

    Returns:
        Lines without spaces at their ends, each with a line break.

    Example:
        >>> print(columns([["lite", "bundled"], ["vgg19", "fetched"]], indent=0), end="")
        lite   bundled
        vgg19  fetched
    """
    rows = [[plain(word) for word in row] for row in rows]
    count = max((len(row) for row in rows), default=0)
    widths = [max((len(row[k]) for row in rows if k < len(row)), default=0) for k in range(count)]
    lines = []
    for row in rows:
        words = [word.ljust(width) for word, width in zip(row, widths, strict=False)]
        lines.append((" " * indent + "  ".join(words)).rstrip() + "\n")
    return "".join(lines)
