"""What happens when a run has ended: its files, what is said, and the exit code."""

import shlex
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nstlab.animate import save_animation
from nstlab.checkpoints import remove_checkpoint
from nstlab.cli.outputs import Outputs
from nstlab.cli.show import write_line
from nstlab.images import PictureError, save_picture
from nstlab.runs import Run
from nstlab.words import duration

INTERRUPTED = 130
EARLY = {
    "converged": "no gradient is left",
    "stalled": "no step lowered the loss any more",
    "stopped": "it was stopped",
}


def finish(run: Run, args: Namespace, words: Sequence[str], outputs: Outputs) -> int:
    """Save what came of a run; the checkpoint goes only when all is on the disk.

    Args:
        run: what came of it.
        args: the parsed command line.
        words: the command line as it was typed, to say how to go on.
        outputs: where to save.

    Returns:
        The exit code.

    Raises:
        PictureError: nothing can be saved anywhere, or the animation cannot.
    """
    say = speaker(args.quiet)
    place = save_somewhere(run, outputs.picture)
    height, width = run.image.shape[2:]
    say(
        f"{place}: {width} × {height} px, {run.steps} steps in {duration(run.seconds)}, "
        f"encoder {run.recipe['encoder']['network']}, loss {min(run.curve()):.4g}"
    )
    if place == outputs.picture:
        for file in outputs.animations:
            save_animation(run, file)
            say(f"{file}: {len(run.frames)} frames")
    if run.ended == "interrupted":
        write_line(_interrupted(run, args, words, outputs), sys.stderr)
    elif place == outputs.picture:
        remove_checkpoint(outputs.checkpoint)
    if run.ended == "failed":
        write_line(f"nstlab: error: the run failed: {run.messages[-1]}", sys.stderr)
    elif run.ended in EARLY:
        say(f"{run.ended} after {run.steps} of {args.settings.steps} steps: {EARLY[run.ended]}")
    if place != outputs.picture or run.ended == "failed":
        return 1
    return INTERRUPTED if run.ended == "interrupted" else 0


def save_somewhere(run: Run, file: Path) -> Path:
    """Save a run where it should go, or else where it can go: an hour of work must not be lost.

    Args:
        run: what came of it.
        file: where it should go.

    Returns:
        Where it is: `file`, or a new PNG in the current folder or that for temporary files. Where
        something went wrong, stderr says what.

    Raises:
        PictureError: it can be saved nowhere.
    """
    try:
        return run.save(file)
    except PictureError as error:
        reason = error
    try:
        # Formats other than PNG have room for a short record only; the picture goes before it.
        saved = save_picture(run.image, file)
        write_line(f"nstlab: {file} is saved without its settings: {reason}", sys.stderr)
        return saved
    except PictureError as error:
        reason = error
    for other in _elsewhere(file.stem):
        try:
            saved = run.save(other).resolve()
        except (PictureError, OSError):
            continue
        write_line(f"nstlab: error: {reason}; the picture is saved as {saved}", sys.stderr)
        return saved
    raise reason


def speaker(quiet: bool) -> Callable[[str], None]:
    """What says a line on stdout, or nothing where that was asked for."""
    return lambda text: None if quiet else write_line(text, sys.stdout)


def _elsewhere(stem: str) -> Iterator[Path]:
    """A name that is free in the current folder, and one in the folder for temporary files."""
    for find in (Path, tempfile.gettempdir):
        try:
            folder, name, number = Path(find()), f"{stem}.png", 2
            while (folder / name).exists():
                name, number = f"{stem}_{number}.png", number + 1
        except OSError:
            continue
        yield folder / name


def _interrupted(run: Run, args: Namespace, words: Sequence[str], outputs: Outputs) -> str:
    said = f"nstlab: interrupted after {run.steps} of {args.settings.steps} steps"
    if not outputs.checkpoint.exists():
        return said
    again = [word for word in words if word not in ("--overwrite", "--resume")]
    return f"{said}; to go on: {shlex.join([*_program(), *again, '--resume'])}"


def _program() -> list[str]:
    """How this program was started."""
    started = Path(sys.argv[0])
    as_module = started.name == "__main__.py" and started.parent.name == "nstlab"
    return ["python", "-m", "nstlab"] if as_module else ["nstlab"]
