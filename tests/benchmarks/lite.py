"""The figures of the encoder `lite`, each with its first version and random weights beside it.

    python tests/benchmarks/lite.py PART --output FOLDER [--lite FILE]

Parts: `distance`, `transfer`, `content`, `speed`, `sheet`. A table in Markdown goes to stdout, the
numbers as JSON and the sheets as JPEG into the folder, and so does every finished run, so that a
part that was interrupted goes on where it stopped. All parts but `speed` need the shared weights
(and, without `--own`, pictures) in the folder that `NSTLAB_TEST_FILES` names.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import lite_distance
import lite_sheets
import lite_speed
import lite_transfer
from lite_encoders import LABELS, STUDENTS, fingerprint, load_lite, load_others
from lite_runs import (
    OWN_PHOTOGRAPHS,
    OWN_STYLES,
    SHARED_PAINTINGS,
    SHARED_PHOTOGRAPHS,
    Runs,
    sources,
)
from parts import carry_out

from nstlab import Encoder
from nstlab.encoders import Pooling
from nstlab.runtime import choose_device, machine

Part = Callable[[argparse.Namespace, dict[str, Encoder]], tuple[dict[str, Any], str]]


def distance(args: argparse.Namespace, encoders: dict[str, Encoder]) -> tuple[dict[str, Any], str]:
    """Rank correlation of Gram distances with the teachers'."""
    size = (args.size, args.size) if args.square else args.size
    figures = lite_distance.measure(encoders, size=size, resamples=args.resamples)
    return figures, lite_distance.table(figures)


def transfer(args: argparse.Namespace, encoders: dict[str, Encoder]) -> tuple[dict[str, Any], str]:
    """Style transfers, scored by the real VGG-19."""
    figures = lite_transfer.measure(
        {**load_others(["real"], args.encoder), **encoders},
        sources(args.photographs or SHARED_PHOTOGRAPHS),
        sources(args.styles or SHARED_PAINTINGS),
        runs(args),
    )
    return figures, lite_transfer.table(figures)


def content(args: argparse.Namespace, encoders: dict[str, Encoder]) -> tuple[dict[str, Any], str]:
    """Photographs rebuilt from the features of one layer at a time."""
    figures = lite_sheets.invert_sheet(
        encoders,
        sources(args.photographs or (OWN_PHOTOGRAPHS if args.own else SHARED_PHOTOGRAPHS)),
        args.output / f"{title(args)}.jpg",
        runs(args),
    )
    return figures, lite_sheets.invert_table(figures)


def speed(args: argparse.Namespace, _encoders: object) -> tuple[dict[str, Any], str]:
    """Seconds of one evaluation against VGG-19's."""
    figures = lite_speed.measure(
        args.encoder, size=args.size, rounds=args.rounds, precisions=args.precisions
    )
    return figures, lite_speed.table(figures)


def sheet(args: argparse.Namespace, encoders: dict[str, Encoder]) -> tuple[dict[str, Any], str]:
    """Photographs in several styles, by each encoder."""
    figures = lite_sheets.style_sheet(
        encoders,
        sources(args.photographs or (OWN_PHOTOGRAPHS if args.own else SHARED_PHOTOGRAPHS)),
        sources(args.styles or (OWN_STYLES if args.own else SHARED_PAINTINGS)),
        args.output / f"{title(args)}.jpg",
        runs(args),
    )
    return figures, lite_sheets.style_table(figures)


def runs(args: argparse.Namespace) -> Runs:
    """How the part's runs are carried out."""
    return Runs(args.output / "runs", args.size, args.steps, args.device)


def title(args: argparse.Namespace) -> str:
    """What the part's files are called: with the weights' SHA-256, so that candidates lie apart."""
    flags = "".join(f"-{name}" for name in ("own", "square") if getattr(args, name, False))
    return f"{args.part}{flags}-{fingerprint(args.encoder)[:8]}"


def command_line() -> argparse.ArgumentParser:
    """All parts and their options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")

    def add(part: Part, size: int, steps: int | None = None) -> argparse.ArgumentParser:
        about = (part.__doc__ or "").rstrip(".")
        added = parts.add_parser(part.__name__, help=about[0].lower() + about[1:])
        added.set_defaults(run=part, names=[])
        option = added.add_argument
        option("--output", type=Path, required=True, metavar="FOLDER", help="made if need be")
        option("--lite", type=Path, metavar="FILE", help="weights to judge; default: the bundled")
        option("--pooling", choices=get_args(Pooling), default="max", help="of lite and random")
        option("--size", type=int, default=size, help=f"longer side, pixels ({size})")
        option("--threads", type=int, help="of torch; default: its own choice")
        if part is not speed:
            default = ["compressed", *STUDENTS] if part is sheet else list(STUDENTS)
            choices = [name for name in LABELS if name != "real"]  # whose file ends too early
            option("--encoders", dest="names", nargs="+", choices=choices, default=default)
        if steps is not None:
            option("--steps", type=int, default=steps, help=f"of each run ({steps})")
            option("--device", help="for the runs; default: the fastest there is")
            option(
                "--photographs", nargs="+", metavar="NAME", help="bundled, or shared FOLDER/NAME"
            )
        if part in (transfer, sheet):
            option("--styles", nargs="+", metavar="NAME", help="bundled, or shared FOLDER/NAME")
        if part in (content, sheet):
            option("--own", action="store_true", help="bundled pictures in place of shared ones")
        return added

    far = add(distance, 256)
    far.add_argument("--square", action="store_true", help="squeeze pictures to SIZE × SIZE")
    far.add_argument("--resamples", type=int, default=1000, help="of the bootstrap (1000)")
    add(transfer, 384, 199)
    add(content, 256, 200)
    timed = add(speed, 384)
    timed.add_argument("--rounds", type=int, default=9, help="turns that count (9)")
    timed.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"], metavar="TYPE")
    add(sheet, 256, 200)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out one part, print its table and write its figures.

    Args:
        arguments: None for those of the command line.
    """
    args = command_line().parse_args(arguments)

    def part() -> tuple[dict[str, Any], str, str]:
        args.encoder = load_lite(args.lite, args.pooling)
        encoders = load_others(args.names, args.encoder)
        figures, table = args.run(args, encoders)
        named = {"lite": args.encoder, **encoders}
        weights = {k: {"weights": v.weights_name, "id": fingerprint(v)} for k, v in named.items()}
        device = choose_device(getattr(args, "device", "cpu"))
        known = {"part": args.part, "encoders": weights, "machine": machine(device)}
        return {**known, **figures}, table, title(args)

    carry_out(args, part, "interrupted; the same command goes on from here")


if __name__ == "__main__":
    main()
