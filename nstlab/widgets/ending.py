"""What ends when its time is over: at the end of the process, and when its cell runs again."""

import atexit
import weakref
from typing import Protocol, runtime_checkable


@runtime_checkable
class Closable(Protocol):
    """Something with work in the background."""

    def close(self) -> object:
        """End that work, and wait for it."""
        ...


_living: "weakref.WeakSet[Closable]" = weakref.WeakSet()
_cells: dict[str, tuple[int, list["weakref.ref[Closable]"]]] = {}


def ends_with_process(work: Closable) -> None:
    """Close it when Python ends: a thread that is inside torch by then would abort the process.

    Args:
        work: kept alive by others.
    """
    _living.add(work)


def ends_with_cell(work: Closable) -> None:
    """Close what the same cell of a notebook made when it was run before.

    Outside notebooks, and in front ends that do not say which cell is running, nothing is done.

    Args:
        work: what this run of the cell makes.
    """
    cell, count = _running_cell()
    if not cell:
        return
    before, made = _cells.get(cell, (count, []))
    if before != count:
        for each in made:
            if (old := each()) is not None:
                old.close()
        made = []
    _cells[cell] = (count, [*made, weakref.ref(work)])


def _running_cell() -> tuple[str, int]:
    try:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        metadata = shell.kernel.get_parent("shell")["metadata"]  # pyright: ignore
        return metadata["cellId"], shell.execution_count  # pyright: ignore
    except (ImportError, AttributeError, KeyError, TypeError):
        return "", 0


@atexit.register
def _close_all() -> None:
    for each in list(_living):
        each.close()
