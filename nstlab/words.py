"""Words for error messages."""

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
