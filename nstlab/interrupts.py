"""Ctrl-C: the first one lets work end in order, the second one ends it at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def first_interrupt(note: Callable[[], object]) -> Iterator[None]:
    """Inside, the first Ctrl-C calls `note`, and the second one raises KeyboardInterrupt.

    Outside the main thread, where Python delivers no signals, nothing is changed.

    Args:
        note: remembers that the work is to end after the step in progress.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted = False

    def interrupted(_signal: int, _frame: object) -> None:
        nonlocal noted
        if noted:
            raise KeyboardInterrupt
        noted = True
        note()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
