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
