"""Checkpoints: the file from which a stopped run goes on, written so that it is never half."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

FORMAT = 1  # of records; one of another format is refused
CHECKPOINT_FORMAT = 5  # of checkpoints, likewise
CHECKPOINT_SECONDS = 30.0
LARGEST_SHARE = 0.02  # of the time may go into checkpoints; large pictures are written more rarely


class RecordError(ValueError):
    """A record or checkpoint that is missing, damaged, or belongs to another run."""


class Checkpointer:
    """Writes checkpoints when they are due, and reads the last one; does nothing without a path."""

    def __init__(
        self, path: str | Path | None, every: int | None, recipe: Mapping[str, Any]
    ) -> None:
        """Note where and how often.

        Args:
            path: the file; None to write none.
            every: steps between checkpoints; None for one every 30 seconds.
            recipe: what the run computes; another run's checkpoint is refused.

        Raises:
            ValueError: `every` is below 1.
        """
        if every is not None and every < 1:
            raise ValueError(f"checkpoint_every is {every}; it must be at least 1")
        self.path = None if path is None else Path(path)
        self.every, self.recipe = every, recipe
        self.last_time, self.last_step, self.last_cost = time.perf_counter(), 0, 0.0

    def read(self) -> dict[str, Any] | None:
        """The state written last, or None where there is none.

        Raises:
            RecordError: the file is damaged or of another run.
        """
        if self.path is None or not self.path.exists():
            return None
        return read_checkpoint(self.path, self.recipe)

    def is_due(self, step: int) -> bool:
        """Whether it is time to write, after `step` steps."""
        if self.path is None:
            return False
        if self.every is not None:
            return step - self.last_step >= self.every
        pause = max(CHECKPOINT_SECONDS, self.last_cost / LARGEST_SHARE)
        return time.perf_counter() - self.last_time >= pause

    def write(self, step: int, state: Callable[[], dict[str, Any]]) -> None:
        """Write what `state` gives after `step` steps, if there is a path."""
        if self.path is not None:
            began = time.perf_counter()
            write_checkpoint(self.path, self.recipe, state())
            self.last_time, self.last_step = time.perf_counter(), step
            self.last_cost = self.last_time - began


def remove_checkpoint(path: str | Path) -> None:
    """Remove a checkpoint that is no longer needed, and what an interrupted writing left of it."""
    Path(path).unlink(missing_ok=True)
    _part(Path(path)).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def write_checkpoint(path: str | Path, recipe: Mapping[str, Any], state: dict[str, Any]) -> None:
    """Write the state of a run in one step: a reader sees the old file or the new one, never half.

    Args:
        path: the file; a second one beside it, with `.part` added, holds it until it is complete.
        recipe: what the run computes; a resume is refused where it differs.
        state: tensors, numbers, strings, lists and dictionaries.

    Raises:
        OSError: the file cannot be written.
    """
    part = _part(Path(path))
    with open(part, "wb") as file:
        torch.save(
            {"format": CHECKPOINT_FORMAT, "recipe": json.dumps(recipe), "state": state}, file
        )
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def read_checkpoint(path: str | Path, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The state that `write_checkpoint` wrote for the same recipe.

    Args:
        path: the checkpoint.
        recipe: what the run computes now.

    Returns:
        The state.

    Raises:
        RecordError: no such file, a damaged one, or one of another run; the message names what
            differs.
    """
    name = Path(path).name
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        before, state = json.loads(found["recipe"]), found["state"]
        version = found["format"]
    except FileNotFoundError as error:
        raise RecordError(f"no checkpoint {name} to go on from; start without resuming") from error
    except Exception as error:  # what bytes that are no checkpoint make a reader raise varies
        raise RecordError(f"{name} is not a checkpoint, or it is damaged; delete it") from error
    if version != CHECKPOINT_FORMAT:
        raise RecordError(
            f"{name} has format {version}, this version reads {CHECKPOINT_FORMAT}; finish the run "
            "with the version that wrote it, or delete it to start anew"
        )
    now = json.loads(json.dumps(recipe))
    if before != now:
        changed = _differences(before, now)
        raise RecordError(
            f"{name} belongs to another run ({'; '.join(changed)}); resume with the same settings "
            "and pictures, or delete it to start anew"
        )
    return state


def _differences(before: object, now: object, where: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        found = []
        for key in [*before, *(k for k in now if k not in before)]:
            place = f"{where}.{key}" if where else str(key)
            found += _differences(before.get(key), now.get(key), place)
        return found
    return [] if before == now else [f"{where}: was {before!r}, is {now!r}"]
