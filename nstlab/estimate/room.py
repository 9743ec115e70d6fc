"""Whether a run fits the memory, and if not, which settings would."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nstlab.encoders import load_encoder
from nstlab.estimate.available import available_memory
from nstlab.estimate.memory import memory_parts
from nstlab.estimate.work import Work
from nstlab.runtime import choose_precision

MARGIN = 0.95  # of the free memory is what other settings may need: it changes by the second
STEP = 16  # pixels between the sizes that are named
SMALLEST = 64

Spelled = Callable[[str, Any], str]


class RoomError(ValueError):
    """A run that the memory has no room for; the message names settings that would fit.

    Attributes:
        ways: changes to the settings, each of which is enough.
    """

    def __init__(self, message: str, ways: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.ways = tuple(ways)


def in_python(name: str, value: object) -> str:
    """A setting as it is written in Python."""
    return f"{name}={value!r}"


def refusal(
    needed: int, free: int, ways: Sequence[Mapping[str, Any]], spelled: Spelled = in_python
) -> RoomError:
    """The error for a run that does not fit.

    Args:
        needed: bytes.
        free: bytes.
        ways: as `ways_to_fit` gives them.
        spelled: writes one setting, given its name and value.

    Returns:
        The error, to be raised.
    """
    text = f"this run needs about {in_bytes(needed)}, {in_bytes(free)} are free"
    listed = [" and ".join(spelled(*item) for item in way.items()) for way in ways]
    if not listed:
        return RoomError(f"{text}; no smaller settings would fit, free some memory first")
    return RoomError(f"{text}; it would fit with {', or with '.join(listed)}", ways)


def peak_bytes(work: Work) -> int:
    """Bytes that a run needs at its peak."""
    return sum(memory_parts(work).values())


def pictures_that_fit(work: Work) -> int | None:
    """How many pictures like that of a run can be changed as one batch.

    Args:
        work: a run with one picture.

    Returns:
        A number, 0 where not even one fits; None where the free memory cannot be told.
    """
    free = available_memory(work.device)
    if free is None:
        return None
    one, two = (peak_bytes(replace(work, pictures=number)) for number in (1, 2))
    return max(0, int(1 + (MARGIN * free - one) / max(1, two - one)))


def ways_to_fit(work: Work, free: int) -> tuple[dict[str, Any], ...]:
    """Changes to the settings of a run that does not fit, each enough for it to fit.

    Args:
        work: the run.
        free: bytes that there are.

    Returns:
        For each of them the settings to change: a smaller size, a shorter memory, another
        optimiser, precision or encoder, or where none of these is enough the encoder `lite` with a
        smaller size; empty where nothing helps.
    """
    most = int(MARGIN * free)
    ways = [change for change in _changes(work, most) if peak_bytes(_changed(work, change)) <= most]
    if not ways and (lite := _with_lite(work)) is not None and (size := _largest_size(lite, most)):
        ways.append({"encoder": "lite", "size": size})
    return tuple(ways)


def _changes(work: Work, most: int) -> Iterator[dict[str, Any]]:
    settings = work.settings
    if size := _largest_size(work, most):
        yield {"size": size}
    if settings.precision in ("float32", "tf32"):
        fastest = choose_precision("auto", work.device)
        if fastest == "bfloat16":
            yield {"precision": fastest}
    if _with_lite(work) is not None:
        yield {"encoder": "lite"}
    if settings.optimizer in ("lbfgs", "scipy"):
        one = peak_bytes(work.at(settings.change(history=1)))
        each = max(1, peak_bytes(work) - one) / max(1, settings.history - 1)
        history = min(settings.history - 1, 1 + int((most - one) / each))
        yield {"history": history} if history >= 1 and one <= most else {"optimizer": "adam"}


def _changed(work: Work, change: dict[str, Any]) -> Work:
    if "encoder" in change:
        work = _with_lite(work) or work
    change = {name: value for name, value in change.items() if name != "encoder"}
    return work.at(work.settings.change(**change))


def _with_lite(work: Work) -> Work | None:
    """The same run with the bundled encoder, or None where that has not the layers or is used."""
    if work.encoder.name == "lite":
        return None
    lite = load_encoder("lite", pooling=work.settings.pooling)
    if not set(work.layers) <= set(lite.layers):
        return None
    settings = work.settings.change(encoder="lite", weights=None)
    return replace(work, encoder=lite, settings=settings, loaded=False)


def _largest_size(work: Work, most: int) -> int | None:
    """The longest side that fits, by bisection; the memory grows with the side."""

    def fits(steps: int) -> bool:
        return peak_bytes(work.at(work.settings.change(size=steps * STEP))) <= most

    low, high = SMALLEST // STEP, work.settings.size // STEP + 1
    if low >= high or not fits(low):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low * STEP if low * STEP < work.settings.size else None


def in_bytes(count: float) -> str:
    """A number of bytes in words.

    Args:
        count: 0 or more.

    Returns:
        In the unit of its size, with powers of 1000.

    Example:
        >>> in_bytes(9_120_000_000), in_bytes(412e6)
        ('9.1 GB', '412 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 0.9995e9 else f"{count / 1e6:.0f} MB"
