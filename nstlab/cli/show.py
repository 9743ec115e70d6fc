"""What the command line shows: progress on stderr, tidy columns on stdout."""

import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from types import TracebackType

from tqdm import tqdm

from nstlab.runs import Step
from nstlab.runtime import progress_wanted

WIDEST = 100  # columns of the bar


class Progress:
    """A watcher of a run: a bar in a terminal, a line each tenth of the run in a log, or nothing.

    Messages of the run appear above the bar.
    """

    def __init__(self, quiet: bool = False) -> None:
        """Choose how to show it.

        Args:
            quiet: show nothing.
        """
        self.quiet = quiet
        self.shown = progress_wanted() and not quiet
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
            self.bar.close()

    def __call__(self, step: Step) -> None:
        """Show one step."""
        if step.message:
            self.tell(step.message)
        if not self.shown:
            return
        left = f"loss {step.loss:.4g}, {duration(step.seconds_left)} left"
        if sys.stderr.isatty():
            self._move_bar(step, left)
        else:
            self._sparse_line(step, left)

    def tell(self, message: str) -> None:
        """Write a line above the bar."""
        if not self.quiet:
            tqdm.write(message, file=sys.stderr)

    def _move_bar(self, step: Step, left: str) -> None:
        if self.bar is None:
            self.bar = tqdm(
                total=step.steps,
                initial=step.step,
                file=sys.stderr,
                leave=False,
                ncols=min(WIDEST, get_terminal_size().columns),
                bar_format="{percentage:3.0f}% |{bar}| step {n_fmt} of {total_fmt}{postfix}",
            )
        self.bar.set_postfix_str(left, refresh=False)
        self.bar.update(step.step - self.bar.n)

    def _sparse_line(self, step: Step, left: str) -> None:
        tenth = 10 * step.step // step.steps
        if self.tenth is not None and tenth > self.tenth:
            sys.stderr.write(f"step {step.step} of {step.steps}, {left}\n")
            sys.stderr.flush()
        self.tenth = tenth


def duration(seconds: float) -> str:
    """A time in words.

    Args:
        seconds: 0 or more.

    Returns:
        For example `8.2 s`, `42 s`, `3 min 05 s` or `2 h 10 min`.

    Example:
        >>> duration(185)
        '3 min 05 s'
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def columns(rows: Sequence[Sequence[str]], indent: int = 2) -> str:
    """Rows of words below one another in columns.

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
    count = max((len(row) for row in rows), default=0)
    widths = [max((len(row[k]) for row in rows if k < len(row)), default=0) for k in range(count)]
    lines = []
    for row in rows:
        words = [word.ljust(width) for word, width in zip(row, widths, strict=False)]
        lines.append((" " * indent + "  ".join(words)).rstrip() + "\n")
    return "".join(lines)
