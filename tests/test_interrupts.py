"""Ctrl-C: noted the first time, raised the second time, as before outside the block."""

import signal
import threading
from collections.abc import Iterator

import pytest

from nstlab.interrupts import first_interrupt


@pytest.fixture(autouse=True)
def usual_handler() -> Iterator[None]:
    """Python's own, which a process in a shell's background does not have: there it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_first_is_noted_and_the_work_goes_on() -> None:
    seen = []
    with first_interrupt(lambda: seen.append("noted")):
        press()
        seen.append("went on")
    assert seen == ["noted", "went on"]


def test_the_second_is_raised_and_not_noted_again() -> None:
    noted = []
    with pytest.raises(KeyboardInterrupt), first_interrupt(lambda: noted.append(1)):
        press()
        press()
    assert noted == [1]


def test_each_block_counts_for_itself() -> None:
    noted = []
    for _ in range(3):
        with first_interrupt(lambda: noted.append(1)):
            press()
    assert noted == [1, 1, 1]


def test_the_handler_of_before_comes_back_however_the_block_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    with first_interrupt(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyError), first_interrupt(lambda: None):
        raise KeyError
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        press()


def test_what_the_note_raises_reaches_the_block() -> None:
    def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), first_interrupt(fail):
        press()


def test_other_threads_change_nothing() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with first_interrupt(lambda: seen.append("noted")):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
