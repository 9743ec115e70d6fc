"""Our loop against the textbook's: the same network, pictures and objective, loss against seconds.

    python tests/benchmarks/loop.py race --output FOLDER [--encoders vgg19 lite]

The textbook loop makes its evaluations; its lowest loss is L. Ours may make a third more, and what
counts is the first picture whose loss, evaluated in float32 after the run, is at most 1.01 L: the
seconds to it, divided by the textbook's seconds in all. A table in Markdown goes to stdout, the
curves as JSON and PNG into the folder, the best pictures of both as JPEG. `vgg19` is the first
three blocks, whose weights lie in the folder that `NSTLAB_TEST_FILES` names. Nothing else should
run meanwhile.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import loop_race
import torch
from lite_encoders import REAL_FILE, fingerprint, shared_file
from lite_runs import say, sources
from parts import carry_out

from nstlab import Encoder, load_encoder, load_picture
from nstlab.bench.problem import Problem, make_problem
from nstlab.images import resize
from nstlab.plots import show_pictures
from nstlab.plots.style import DPI
from nstlab.preconditioner import PRECONDITIONERS
from nstlab.runtime import PRECISIONS, choose_device, choose_precision, machine

ENCODERS = ("vgg19", "lite")
MORE = 4 / 3  # of ours: whoever is a little slower by step may still be sooner by the clock
TO_REACH = {"vgg19": 0.3, "lite": 0.4}


def load(name: str, device: torch.device) -> Encoder:
    """VGG-19's first three blocks, the bundled lite, or a weight file."""
    if name == "vgg19":
        return load_encoder(shared_file("weights", REAL_FILE), device=device)
    return load_encoder(name, device=device)


def problem(args: argparse.Namespace, name: str, device: torch.device) -> Problem:
    """The pictures at their size, and the layers that the encoder has."""
    encoder = load(name, device)
    photograph, painting = sources([args.photograph]), sources([args.style])
    content = load_picture(next(iter(photograph.values())), args.size)
    style = resize(load_picture(next(iter(painting.values()))), args.size)
    return make_problem(encoder, content.to(device), style.to(device))


def race(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Seconds to the textbook's loss, over the textbook's seconds."""
    device = choose_device(args.device)
    precision = choose_precision(args.precision, device)
    cases, pictures, titles = [], [], []
    for name in args.encoders:
        given = problem(args, name, device)
        for start in args.starts:
            say(f"{name} from {start}, {precision}")
            several, made = loop_race.measure(
                given,
                start,
                precision,
                preconditioners=args.preconditioners,
                evaluations=args.evaluations,
                steps=args.steps or round(MORE * args.evaluations),
                repeats=args.repeats,
                tell=say,
            )
            label = {"encoder": Path(name).name, "weights": fingerprint(given.encoder)}
            layers = {"content": given.content_layers, "style": given.style_layers}
            common = {**label, "layers": layers, "to_reach": TO_REACH.get(name)}
            cases += [{**common, **case} for case in several]
            pictures += made
            loops = ("textbook", *(f"ours, {each}" for each in args.preconditioners))
            titles += [f"{Path(name).stem} from {start}, {loop}" for loop in loops]
    names = ("photograph", "style", "size", "evaluations", "repeats")
    figures = {name: getattr(args, name) for name in names}
    found = {**machine(device), "precision": precision}
    figure = loop_race.plot(cases)
    figure.savefig(args.output / "race.png", dpi=DPI * 1.5)
    sheet = show_pictures(pictures, titles, columns=1 + len(args.preconditioners), width=14)
    sheet.savefig(args.output / "race.jpg", dpi=DPI, pil_kwargs={"quality": 88})
    return {**figures, "machine": found, "cases": cases}, loop_race.table(cases)


def command_line() -> argparse.ArgumentParser:
    """All parts and their options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    added = parts.add_parser("race", help="seconds to the textbook's loss")
    added.set_defaults(run=race)
    option = added.add_argument
    option("--output", type=Path, required=True, metavar="FOLDER", help="made if need be")
    option("--encoders", nargs="+", default=list(ENCODERS), metavar="NAME|FILE")
    option("--starts", nargs="+", choices=loop_race.STARTS, default=list(loop_race.STARTS))
    option("--photograph", default="china", metavar="NAME", help="bundled, or shared FOLDER/NAME")
    option("--style", default="swirls_1", metavar="NAME", help="bundled, or shared FOLDER/NAME")
    option("--size", type=int, default=384, help="longer side, pixels (384)")
    option("--evaluations", type=int, default=300, help="of the textbook loop (300)")
    option("--steps", type=int, help="of ours; default: a third more")
    option("--repeats", type=int, default=3, help="of both loops in turns (3)")
    option("--preconditioners", nargs="+", choices=PRECONDITIONERS, default=list(PRECONDITIONERS))
    option("--precision", choices=PRECISIONS, default="auto", help="of ours")
    option("--device", help="default: the fastest there is")
    option("--threads", type=int, help="of torch; default: its own choice")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out one part, print its table and write its figures.

    Args:
        arguments: None for those of the command line.
    """
    args = command_line().parse_args(arguments)

    def part() -> tuple[dict[str, Any], str, str]:
        figures, table = args.run(args)
        return {"part": args.part, **figures}, table, args.part

    carry_out(args, part, "interrupted; nothing was written")


if __name__ == "__main__":
    main()
