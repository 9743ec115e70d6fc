"""What a record says about how its picture was made, checked: a file can claim anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nstlab.checkpoints import RecordError
from nstlab.encoders import encoder_names
from nstlab.samples import PictureId
from nstlab.settings import Settings

ROLES = {"stylize": ("content", "style"), "invert": ("content",), "texture": ("style",)}


@dataclass(frozen=True)
class Recipe:
    """How a picture was made.

    Attributes:
        task: a key of `ROLES`.
        settings: of the run.
        pictures: what went in, by role.
        network: one of `encoder_names()`.
        weights: file name of the encoder's weights, or what else they were called.
        sha256: of the weights; None for random ones and for those from memory.
        until: the step at which the run was broken off; None where it came to its end.
    """

    task: str
    settings: Settings
    pictures: dict[str, list[PictureId]]
    network: str
    weights: str
    sha256: str | None
    until: int | None


def read_recipe(record: Mapping[str, Any], file: str) -> Recipe:
    """The recipe in a record, with every part of the kind that it should be.

    Args:
        record: from `read_record`.
        file: the picture's name, for the error message.

    Returns:
        The recipe.

    Raises:
        RecordError: something is missing, or is not what `stylize`, `invert` or
            `synthesize_texture` writes; or the run was steered in the lab.
    """
    if isinstance(recipe := record.get("recipe"), Mapping) and recipe.get("steered"):
        raise RecordError(
            f"{file} was steered by hand while it was made, which cannot be made again; its record "
            "says what was changed, and at which step"
        )
    try:
        recipe = record["recipe"]
        task = recipe["task"]
        settings = Settings.from_data(recipe["settings"])
        pictures = _pictures(task, recipe["pictures"])
        if settings.start == "picture" and "start" not in pictures:
            raise ValueError("no start picture")
        network, weights, sha256 = (recipe["encoder"][k] for k in ("network", "weights", "sha256"))
        if network not in encoder_names():
            raise ValueError(f"no network {network!r}")
        broken_off = record["ended"] in ("interrupted", "stopped")
        return Recipe(
            task=task,
            settings=settings,
            pictures=pictures,
            network=network,
            weights=_text(weights),
            sha256=None if sha256 is None else _text(sha256),
            until=int(record["steps_made"]) if broken_off else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RecordError(
            f"{file} does not say how to make it again ({error!r}); only results of "
            "stylize, invert and synthesize_texture do"
        ) from error


def is_file_name(name: str) -> bool:
    r"""Whether a name is that of a file alone, and leads to no other folder.

    Args:
        name: from a record.

    Returns:
        False for anything with a separator, of whichever system.

    Example:
        >>> [is_file_name(name) for name in ("photo.png", "../photo.png", "a\\b.png", "..")]
        [True, False, False, False]
    """
    return name not in ("", "..") and not set(name) & set("/\\\0") and Path(name).name == name


def _pictures(task: str, found: Mapping[str, Any]) -> dict[str, list[PictureId]]:
    pictures = {}
    for role in (*ROLES[task], "start"):
        ids = [
            PictureId(_text(each["name"]), _text(each["sha256"])) for each in found.get(role, ())
        ]
        if not ids and role != "start":
            raise ValueError(f"no {role} picture")
        if len(ids) > 1 and role != "style":
            raise ValueError(f"several {role} pictures")
        if ids:
            pictures[role] = ids
    return pictures


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a name should be")
    return value
