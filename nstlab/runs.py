"""The record of a run: what a watcher is told at each step, and all that came of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from nstlab.checkpoints import FORMAT, RecordError
from nstlab.images import open_picture, read_info, save_picture

Ended = Literal["finished", "converged", "stalled", "stopped", "interrupted", "failed"]
INFO_KEY = "nstlab"  # under which a PNG carries the record
RECORD = {  # what a record must hold
    **{"recipe": dict, "machine": dict, "losses": dict, "messages": list},
    **{"ended": str, "seconds": (int, float), "steps_made": int},
}


@dataclass(frozen=True)
class Step:
    """What a watcher is told after each evaluation.

    Attributes:
        step: number of steps made so far, 0 for the start picture.
        steps: number of steps planned.
        losses: terms' values by name, without their weights, and their weighted sum as `total`;
            one number for each picture of the batch.
        image: the picture (b, 3, h, w) that was evaluated; a copy, free to keep.
        seconds: time since the start, earlier parts of a resumed run included.
        seconds_left: the time that the remaining steps will take, at the pace of this part.
        message: one sentence where something happened, such as a restart; else empty.
    """

    step: int
    steps: int
    losses: Mapping[str, tuple[float, ...]]
    image: Float[Tensor, "b 3 h w"]
    seconds: float
    seconds_left: float
    message: str = ""

    @property
    def loss(self) -> float:
        """The weighted sum of all terms, summed over the batch."""
        return sum(self.losses["total"])


OnStep = Callable[[Step], object]


@dataclass
class Run:
    """Everything that came of a run.

    Attributes:
        image: for each picture of the batch the one of lowest total loss that was evaluated.
        losses: by term, and as `total`; row k holds the values after k steps, a column each for
            the pictures of the batch.
        frames: pictures kept on the way by step, 8 bits a channel.
        ended: `finished` all steps; `converged` (no gradient left); `stalled` (no step lowered the
            loss any more); `stopped` by a watcher; `interrupted` by Ctrl-C; `failed` (loss not
            finite again and again). The picture is kept in each case. Of a batch: what its pictures
            have in common, else `finished`.
        endings: the same for each picture of the batch; empty where all ended as the run did.
        lengths: how many rows of `losses` each picture took part in; empty for all of them.
        seconds: time taken, parts before a resume included.
        messages: what happened on the way, one sentence each.
        recipe: what it takes to make the run again (see `task`); plain data.
        machine: versions, device and threads, on which the last bits depend; plain data.
    """

    image: Float[Tensor, "b 3 h w"]
    losses: dict[str, Float[Tensor, "n b"]]
    frames: dict[int, UInt8[Tensor, "b 3 h w"]] = field(default_factory=dict)
    ended: Ended = "finished"
    endings: tuple[Ended, ...] = ()
    lengths: tuple[int, ...] = ()
    seconds: float = 0.0
    messages: tuple[str, ...] = ()
    recipe: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Number of steps made."""
        return len(self.losses["total"]) - 1

    def curve(self, term: str = "total", index: int = 0) -> list[float]:
        """One term's values over the run, for one picture of the batch.

        Args:
            term: a name in `losses`.
            index: which picture of the batch.

        Returns:
            The value at the start picture, then after each step.

        Raises:
            ValueError: no such term.
        """
        if term not in self.losses:
            raise ValueError(f"no term {term!r} in this run; there is: {', '.join(self.losses)}")
        return self.losses[term][:, index].tolist()

    def split(self) -> list["Run"]:
        """The pictures of the batch as runs of their own; each has its share of the seconds."""
        count = len(self.image)
        names = [f"picture {number}, " for number in range(1, count + 1)]
        endings = self.endings or (self.ended,) * count
        lengths = self.lengths or (len(self.losses["total"]),) * count
        return [
            replace(
                self,
                image=self.image[index : index + 1],
                losses={
                    name: rows[:length, index : index + 1] for name, rows in self.losses.items()
                },
                frames={
                    step: frame[index : index + 1]
                    for step, frame in self.frames.items()
                    if step < length
                },
                ended=ended,
                endings=(ended,),
                lengths=(length,),
                seconds=self.seconds / len(names),
                messages=tuple(
                    text.removeprefix(names[index])
                    for text in self.messages
                    if text.startswith(names[index]) or not text.startswith("picture ")
                ),
            )
            for index, (ended, length) in enumerate(zip(endings, lengths, strict=True))
        ]

    def record(self, index: int = 0) -> dict[str, Any]:
        """The run as plain data without its pictures, as it is written into a PNG.

        Args:
            index: which picture of the batch it is about.

        Returns:
            The recipe, how the run ended, its seconds, steps, messages and losses.
        """
        if len(self.image) > 1:
            return self.split()[index].record()
        return {
            "format": FORMAT,
            "recipe": self.recipe,
            "machine": self.machine,
            "ended": self.ended,
            "seconds": round(self.seconds, 2),
            "steps_made": self.steps,
            "messages": list(self.messages),
            "losses": {
                name: [float(f"{value:.6g}") for value in self.curve(name)] for name in self.losses
            },
        }

    def save(self, path: str | Path, index: int = 0) -> Path:
        """Write the picture, with the record inside; outside PNG only the first and last losses.

        Args:
            path: the file to write; it is replaced in one step, so no half-written file is seen.
            index: which picture of the batch.

        Returns:
            The path written.

        Raises:
            PictureError: the file cannot be written, or its suffix is none of the known ones.
        """
        record = self.record(index)
        if Path(path).suffix.lower() != ".png":  # other formats hold little text
            record["losses"] = {name: [row[0], row[-1]] for name, row in record["losses"].items()}
        info = {INFO_KEY: json.dumps(record, separators=(",", ":"))}
        return save_picture(self.image, path, info, index=index)


def read_record(path: str | Path) -> dict[str, Any]:
    """The record inside a picture that `Run.save` wrote.

    Args:
        path: a PNG or JPEG.

    Returns:
        The dictionary of `Run.record`.

    Raises:
        PictureError: no readable picture there.
        RecordError: the picture carries no record, or one that this version cannot read.
    """
    name = Path(path).name
    text = read_info(path).get(INFO_KEY)
    if text is None:
        raise RecordError(
            f"{name} carries no nstlab settings; only a PNG or JPEG that nstlab wrote, and that no "
            "other program saved again, does"
        )
    try:
        found = json.loads(text)
        version = found["format"]
        for key, kind in RECORD.items():
            if version == FORMAT and not isinstance(found[key], kind):
                raise TypeError(f"{key} is a {type(found[key]).__name__}")
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"the settings inside {name} are damaged: {error}") from error
    if version != FORMAT:
        raise RecordError(f"{name} has settings of format {version}; this version reads {FORMAT}")
    return found


def load_run(path: str | Path) -> Run:
    """A saved run: its picture at 8 bits, its losses and its recipe; frames are not kept in it.

    Args:
        path: a PNG that `Run.save` wrote.

    Returns:
        The run; `run.save` writes it again.

    Raises:
        PictureError: no readable picture there.
        RecordError: the picture carries no record, or only that of another format than PNG.
    """
    found = read_record(path)
    if any(len(row) != found["steps_made"] + 1 for row in found["losses"].values()):
        raise RecordError(f"{Path(path).name} holds no losses of each step; only a PNG does")
    return Run(
        image=open_picture(path),
        losses={
            name: torch.tensor(values, dtype=torch.float64)[:, None]
            for name, values in found["losses"].items()
        },
        ended=found["ended"],
        seconds=found["seconds"],
        messages=tuple(found["messages"]),
        recipe=found["recipe"],
        machine=found["machine"],
    )
