"""The files that a command writes: their names, and all that can be found out before the run."""

import os
import re
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from nstlab.animate import VIDEO_SUFFIXES, check_animation
from nstlab.checkpoints import RecordError
from nstlab.images import PictureError, PictureExistsError, check_writable


@dataclass(frozen=True)
class Outputs:
    """Where the results of one command go.

    Attributes:
        picture: the result.
        animations: GIF and video, where asked for.
        checkpoint: beside the result, while the run lasts.
        resume: whether to go on from the checkpoint; files of the same names are then replaced.
        overwrite: whether files that are there may be replaced.
    """

    picture: Path
    animations: tuple[Path, ...] = ()
    resume: bool = False
    overwrite: bool = False

    @property
    def checkpoint(self) -> Path:
        """The file from which an interrupted run goes on."""
        return self.picture.with_name(self.picture.name + ".checkpoint")

    def numbered(self, step: int) -> Path:
        """The file for the picture after a number of steps."""
        return self.picture.with_name(f"{self.picture.stem}_{step:04d}{self.picture.suffix}")

    def check(self, sources: Sequence[str], save_steps: Sequence[int] = ()) -> None:
        """Find out before the run whether everything can be written.

        Args:
            sources: the pictures that go in; none of them is overwritten.
            save_steps: steps whose pictures are saved.

        Raises:
            PictureError: a file that cannot be written, or is there already.
            RecordError: a checkpoint that is there without `resume`, or the other way round.
        """
        replace = self.overwrite or self.resume
        files = [self.picture, *(self.numbered(step) for step in save_steps), *self.animations]
        inputs = {Path(each).resolve() for each in sources if Path(each).is_file()}
        for file in files:
            if file.resolve() in inputs:
                raise PictureError(f"{str(file)!r} goes into the run; save under another name")
        # The checkpoint comes first: it says that the result is half made.
        self._check_checkpoint()
        for number, file in enumerate(files):
            if file in self.animations:
                _check(partial(check_animation, file, overwrite=replace), file)
            elif number == 0 or file.exists():
                _check(partial(check_writable, file, overwrite=replace), file)

    def _check_checkpoint(self) -> None:
        there, name = self.checkpoint.exists(), str(self.checkpoint)
        if self.resume and not there:
            raise RecordError(f"there is no checkpoint {name!r} to go on from; leave --resume out")
        if there and not self.resume and not self.overwrite:
            raise RecordError(
                f"{name!r} is left from a run that was interrupted; --resume goes on with it, "
                "--overwrite starts anew"
            )

    @contextmanager
    def old_checkpoint_aside(self) -> Iterator[None]:
        """Where a run starts anew, put the checkpoint of an earlier one aside for the block.

        It comes back at the end, unless there is a new one or `forget_old_checkpoint` was called
        meanwhile: until the run has begun, something may turn out to be wrong.
        """
        if not self.resume and self.checkpoint.exists():
            os.replace(self.checkpoint, self._aside)
        try:
            yield
        finally:
            if self.checkpoint.exists():
                self.forget_old_checkpoint()
            elif self._aside.exists():
                os.replace(self._aside, self.checkpoint)

    def forget_old_checkpoint(self) -> None:
        """Remove what `old_checkpoint_aside` put aside."""
        self._aside.unlink(missing_ok=True)

    @property
    def _aside(self) -> Path:
        return self.checkpoint.with_name(self.checkpoint.name + ".old")


def outputs_for(args: Namespace, sources: Sequence[str]) -> Outputs:
    """The files that the options of a command ask for.

    Args:
        args: of `stylize`, `invert` or `texture`.
        sources: the pictures, content first, which give the default name.

    Returns:
        The files, not yet checked.

    Raises:
        PictureError: a file of the wrong kind for `--gif` or `--mp4`.
    """
    ending = {"stylize": "", "invert": "_inverted", "texture": "_texture"}[args.command]
    name = "_".join(_stem(source) for source in sources)[:120] + ending + ".png"
    picture = Path(args.output or name).expanduser()
    animations = []
    for option, given, suffixes in (
        ("--gif", args.gif, (".gif",)),
        ("--mp4", args.mp4, VIDEO_SUFFIXES),
    ):
        if given is None:
            continue
        file = Path(given).expanduser() if given else picture.with_suffix(suffixes[0])
        if file.suffix.lower() not in suffixes:
            raise PictureError(
                f"{option} writes {' or '.join(suffixes)}, not {given!r}; to leave its file name "
                f"out put {option} after the pictures"
            )
        animations.append(file)
    return Outputs(picture, tuple(animations), args.resume, args.overwrite)


def _stem(source: str) -> str:
    path = urlsplit(source).path if "://" in source else source
    return re.sub(r"[^\w.-]", "_", PurePosixPath(path.replace("\\", "/")).stem) or "picture"


def _check(check: Callable[[], None], file: Path) -> None:
    try:
        check()
    except PictureExistsError as error:
        raise PictureError(
            f"{str(file)!r} exists already; choose another name with -o, or replace it with "
            "--overwrite"
        ) from error
