"""Words for names and numbers."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: object, valid: Iterable[str]) -> str:
    """A hint for a name that does not exist.

    Args:
        name: what was asked for.
        valid: the names that would do.

    Returns:
        ` (did you mean 'vgg19'?)`, ready to follow the name, or nothing where none is near.

    Example:
        >>> did_you_mean("vgg20", ["alexnet", "vgg19"])
        " (did you mean 'vgg19'?)"
    """
    near = get_close_matches(str(name), list(valid), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def in_short(number: float) -> str:
    """A number to three digits, without an exponent up to a million.

    Args:
        number: any.

    Returns:
        For example `0.25`, `4` or `7080`.

    Example:
        >>> in_short(7079.46), in_short(4.0)
        ('7080', '4')
    """
    return f"{float(f'{number:.3g}'):g}"


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
