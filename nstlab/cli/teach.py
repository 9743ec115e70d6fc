"""The command `distill`: train a small encoder on the features of larger ones."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from nstlab.checkpoints import RecordError, remove_checkpoint
from nstlab.cli.finish import INTERRUPTED, speaker
from nstlab.cli.outputs import Outputs
from nstlab.cli.show import Progress, write_line
from nstlab.distill import (
    Lecture,
    Lesson,
    Training,
    distill,
    load_teacher,
    pictures_in,
    save_student,
)
from nstlab.distill.files import check_student_path
from nstlab.encoders import load_encoder
from nstlab.runtime import choose_device
from nstlab.words import duration

NUMBERS = {
    "steps": "updates of the weights",
    "batch": "crops in each step",
    "size": "side of a crop in pixels",
    "rivals": "pictures that try to deceive the student, on their way at a time; 0 for none",
    "learning_rate": "the highest of the one-cycle schedule",
    "gram_weight": "weight of distances between Gram matrices, against 1 for features",
    "weight_decay": "of AdamW",
    "seed": "of the first weights and all crops",
}


def add_options(parser: ArgumentParser) -> None:
    """The words of the command.

    Args:
        parser: its parser.
    """
    parser.add_argument(
        "pictures",
        metavar="FOLDER",
        nargs="+",
        help="pictures to train on; a folder is drawn from in proportion to the square root of its "
        "number of pictures",
    )
    parser.add_argument(
        "--teacher",
        action="append",
        required=True,
        metavar="NAME=LAYERS",
        help="an encoder or weight file, and what to learn from it, such as "
        "vgg19=relu1_1,relu2_1; may be given several times",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=".safetensors file")
    parser.add_argument("--held-out", metavar="FOLDER", help="pictures to measure on")
    parser.add_argument(
        "--start-from", metavar="FILE", help="an encoder or weight file to go on from"
    )
    defaults = Training()
    widths = ",".join(map(str, defaults.widths))
    parser.add_argument(
        "--widths", metavar="N,N,N,N,N", help=f"channels of the five blocks (default: {widths})"
    )
    for name, text in NUMBERS.items():
        value = getattr(defaults, name)
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=type(value),
            default=value,
            metavar="N" if isinstance(value, int) else "X",
            help=f"{text} (default: {value})",
        )
    parser.add_argument(
        "--keep", dest="kept", metavar="LAYER", help="leave the weights down to this layer alone"
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--resume", action="store_true", help="go on with an interrupted training")
    either.add_argument("--overwrite", action="store_true", help="replace files that are there")


def teach(args: Namespace) -> int:
    """Train a student.

    Args:
        args: the parsed command line.

    Returns:
        0, or 130 where it was interrupted.

    Raises:
        PictureError, RecordError, WeightsError, ValueError: something does not fit.
    """
    output, device = Path(args.output), choose_device(args.device)
    check_student_path(output, overwrite=args.overwrite or args.resume)
    outputs = Outputs(output, resume=args.resume, overwrite=args.overwrite)
    checkpoint = outputs.checkpoint
    if args.resume and not checkpoint.exists():
        raise RecordError(f"there is no checkpoint {str(checkpoint)!r}; leave --resume out")
    if checkpoint.exists() and not args.resume and not args.overwrite:
        raise RecordError(
            f"{str(checkpoint)!r} is left from a training that was interrupted; --resume goes on "
            "with it, --overwrite starts anew"
        )
    numbers = {name: getattr(args, name) for name in (*NUMBERS, "kept")}
    if args.widths is not None:
        numbers["widths"] = _widths(args.widths)
    pictures = pictures_in(args.pictures)
    start = None if args.start_from is None else load_encoder(args.start_from)
    if start is not None and args.widths is not None:
        raise ValueError("--widths and --start-from both say how wide the student is; give one")
    with Progress(args.quiet) as progress, outputs.old_checkpoint_aside():
        result = distill(
            [_lesson(text, str(device)) for text in args.teacher],
            pictures,
            Training(**numbers),
            start=start,
            held_out=[] if args.held_out is None else pictures_in([args.held_out])[0],
            on_step=_Watcher(progress, outputs),
            checkpoint=checkpoint,
            device=device,
        )
    if result.ended == "interrupted":
        said = f"nstlab: interrupted after {result.record['steps_done']} of {args.steps} steps"
        again = "; the same command with --resume goes on" if checkpoint.exists() else ""
        write_line(said + again, sys.stderr)
        return INTERRUPTED
    weights, record = save_student(result, output)
    remove_checkpoint(checkpoint)
    speaker(args.quiet)(
        f"{weights}: {args.steps} steps in {duration(result.record['seconds'])}; {record} has the "
        "settings and errors"
    )
    return 0


class _Watcher:
    """Shows each step, and a line for each measurement."""

    def __init__(self, progress: Progress, outputs: Outputs) -> None:
        self.progress, self.outputs = progress, outputs

    def __call__(self, lecture: Lecture) -> None:
        self.outputs.forget_old_checkpoint()  # the training has begun, nothing can be wrong now
        plain = [value for name, value in lecture.errors.items() if " " not in name]
        message = ""
        if lecture.agreement:
            found = ", ".join(f"{name} {value:.3f}" for name, value in lecture.agreement.items())
            message = f"step {lecture.step}, agreement on pictures held out: {found}"
        error = sum(plain) / len(plain)
        text = f"error {error:.3f}, {duration(lecture.seconds_left)} left"
        self.progress.show(lecture.step, lecture.steps, text, message)


def _lesson(text: str, device: str) -> Lesson:
    source, _, layers = text.rpartition("=")
    names = tuple(name for name in layers.split(",") if name)
    if not source or not names:
        raise ValueError(
            f"--teacher is {text!r}; give an encoder and its layers, such as vgg19=relu1_1,relu2_1"
        )
    return Lesson(load_teacher(source, device=device), names)


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"--widths is {text!r}; give five whole numbers with commas") from error
