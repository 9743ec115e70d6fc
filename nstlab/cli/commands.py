"""What the commands do: `stylize`, `invert` and `texture` as one, and `rerun`."""

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from nstlab.cli.finish import INTERRUPTED, finish, save_somewhere, speaker
from nstlab.cli.forecast import forecast
from nstlab.cli.outputs import Outputs, outputs_for
from nstlab.cli.show import Progress, write_line
from nstlab.encoders import Encoder
from nstlab.images import (
    PictureError,
    PictureExistsError,
    check_writable,
    encode,
    open_picture,
    save_picture,
)
from nstlab.rerun import differs, rerun
from nstlab.runs import OnStep, Run, Step, read_record
from nstlab.runtime import choose_device
from nstlab.samples import load_picture
from nstlab.settings import Settings
from nstlab.stock import encoder_for
from nstlab.task import Options
from nstlab.transfer import invert, stylize, synthesize_texture
from nstlab.words import duration


def paint(args: Namespace, words: Sequence[str]) -> int:
    """Make one picture: `stylize`, `invert` or `texture`; or only say what that would need.

    What can be found wrong is found before the run, and before anything is replaced.

    Args:
        args: the parsed command line.
        words: the command line as it was typed, to say how to go on.

    Returns:
        The exit code.

    Raises:
        PictureError, RecordError, RoomError, WeightsError, ValueError: something does not fit.
    """
    settings: Settings = args.settings
    sources = [*([args.content] if "content" in args else []), *getattr(args, "style", [])]
    started_from = [] if args.start_from is None else [args.start_from]
    outputs = outputs_for(args, sources)
    save_steps = _each("save_every", args.save_every, settings.steps)
    _each("checkpoint_every", args.checkpoint_every, settings.steps)
    frame_every = _frame_every(args, settings)
    if not args.estimate:
        outputs.check([*sources, *started_from], save_steps)
    device = choose_device(args.device)
    opened = (load_picture(source) for source in (*sources, *started_from))
    shapes = [(picture.shape[2], picture.shape[3]) for picture in opened]
    encoder = _checked_encoder(args.command, settings)
    progress = Progress(args.quiet)
    forecast(args, encoder, device, shapes, frame_every, progress)
    if args.estimate:
        return 0
    with progress, outputs.old_checkpoint_aside():
        options: Options = {
            "start_picture": args.start_from,
            "encoder": encoder,
            "device": device,
            "on_step": _watcher(progress, outputs, save_steps),
            "frame_every": frame_every,
            "checkpoint": outputs.checkpoint,
            "checkpoint_every": args.checkpoint_every,
            "keep_checkpoint": True,
        }
        run = _transfer(args)(settings, **options)
    return finish(run, args, words, outputs)


def rerun_picture(args: Namespace) -> int:
    """Make a saved picture again, and compare.

    Args:
        args: the parsed command line.

    Returns:
        0 where the pixels are identical, 1 where they are not, 130 where it was interrupted.

    Raises:
        PictureError, RecordError, WeightsError, ValueError: something does not fit.
    """
    record = read_record(args.file)
    if args.output is not None:
        if Path(args.output).expanduser().resolve() == Path(args.file).expanduser().resolve():
            raise PictureError("the new picture would replace the old one; choose another name")
        try:
            check_writable(args.output, args.overwrite)
        except PictureExistsError as error:
            raise PictureError(f"{args.output!r} exists already; use --overwrite") from error
    for picture in args.picture:
        load_picture(picture)
    with Progress(args.quiet) as progress:
        run = rerun(
            args.file,
            pictures=args.picture,
            encoder=args.encoder,
            device=choose_device(args.device),
            on_step=progress,
        )
    say = speaker(args.quiet)
    if run.ended == "interrupted":
        said = f"nstlab: interrupted after {run.steps} steps; nothing compared"
        write_line(said, sys.stderr)
        return INTERRUPTED
    code = 0
    if args.output is not None:
        wanted = Path(args.output).expanduser()
        saved = save_somewhere(run, wanted)
        code = 0 if saved == wanted else 1
        say(f"saved {saved}")
    if _same_pixels(run, args.file):
        say(f"{args.file}: made again in {duration(run.seconds)}; the pixels are identical")
        return code
    reason = differs(run, record)
    say(f"{args.file}: made again, but the pixels differ" + (f" ({reason})" if reason else ""))
    return 1


def _each(option: str, every: int | None, steps: int) -> list[int]:
    """The steps that are multiples of a number that was asked for, the start left out."""
    if every is None:
        return []
    if every < 1:
        raise ValueError(f"--{option.replace('_', '-')} is {every}; it must be at least 1")
    return list(range(every, steps + 1, every))


def _frame_every(args: Namespace, settings: Settings) -> int:
    _each("frame_every", args.frame_every, settings.steps)
    if args.gif is None and args.mp4 is None:
        if args.frame_every is not None:
            raise ValueError("--frame-every is for animations; add --gif or --mp4")
        return 0
    return args.frame_every or max(1, round(settings.steps / 10))


def _checked_encoder(command: str, settings: Settings) -> Encoder:
    encoder = encoder_for(settings)
    if command in ("stylize", "invert"):
        encoder.check_layers(settings.content_layers)
    if command in ("stylize", "texture"):
        encoder.check_layers(settings.style_layers)
    return encoder


def _transfer(args: Namespace) -> Callable[..., Run]:
    if args.command == "invert":
        return partial(invert, args.content)
    if args.command == "texture":
        return partial(synthesize_texture, args.style)
    return partial(stylize, args.content, args.style)


def _watcher(progress: Progress, outputs: Outputs, save_steps: Sequence[int]) -> OnStep:
    """Shows each step, and saves those that were asked for."""
    waiting = set(save_steps)

    def watch(step: Step) -> None:
        if step.step > 0:  # nothing turned out to be wrong with the start
            outputs.forget_old_checkpoint()
        progress(step)
        if step.step in waiting:
            try:
                save_picture(step.image, outputs.numbered(step.step))
            except PictureError as error:  # the run itself must not suffer from a full disk
                waiting.clear()
                progress.tell(f"step {step.step}: {error}; no more of these are saved")

    return watch


def _same_pixels(run: Run, file: str) -> bool:
    """Whether saving the run gives the pixels of the file, whatever its format loses."""
    kind = Path(file).suffix[1:]
    new, old = open_picture(encode(run.image, kind, quality=95)), open_picture(file)
    return torch.equal(new, old)
