"""The words of the command line; defaults, ranges and choices are those of `Settings`."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from nstlab.cli.bench import add_options as add_bench_options
from nstlab.cli.forecast import add_forecast
from nstlab.cli.options import USED, Option
from nstlab.cli.teach import add_options as add_distill_options
from nstlab.runtime import versions
from nstlab.settings import Settings
from nstlab.words import did_you_mean

COMMANDS = {
    "stylize": "paint the content of a picture in the style of another, or of several",
    "invert": "find what layers of a network keep of a picture",
    "texture": "make a texture like a picture, or like several",
    "rerun": "make a saved picture again and compare",
    "distill": "train a small encoder to see what larger ones see",
    "bench": "measure how fast this machine is, with the textbook loop beside it",
    "info": "list encoders, devices, pictures and versions; or show what a saved picture holds",
}
_USAGE = {
    "stylize": "CONTENT STYLE [STYLE ...] ",
    "invert": "CONTENT ",
    "texture": "STYLE [STYLE ...] ",
    "rerun": "PICTURE ",
    "distill": "FOLDER [FOLDER ...] --teacher NAME=LAYERS -o FILE ",
    "bench": "",
    "info": "[PICTURE] ",
}
PICTURE = "a name that `nstlab info` lists, a file, or an address (https://...)"
EXAMPLE = "for example: nstlab stylize china swirls_1 -o painted.png --size 512 --gif"


class Parser(argparse.ArgumentParser):
    """argparse's, with a hint at the nearest name where a command or an option is unknown."""

    def error(self, message: str) -> NoReturn:
        """Print how it is used in one line, then the message; exit code 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options of one command, with `settings` ready where it has any.

    Args:
        words: the command line without the program's name.

    Returns:
        What was asked for; `command` says which command.

    Raises:
        SystemExit: help or version was asked for (0), or the words make no sense (2).
    """
    parser, commands = _parsers()
    words = _with_empty_names(words, parser)
    first = next((word for word in words if not word.startswith("-")), None)
    if not words:
        parser.error(f"no command; there is: {_listed(COMMANDS)} (nstlab --help says more)")
    if first is not None and first not in COMMANDS:
        parser.error(
            f"no command {first!r}{did_you_mean(first, COMMANDS)}; there is: {_listed(COMMANDS)}"
        )
    args, unknown = parser.parse_known_args(words)
    command = commands[args.command]
    if unknown:
        known = [flag for flag in command._option_string_actions if flag.startswith("--")]
        option = unknown[0].partition("=")[0]
        if option in known and words.index(unknown[0]) < words.index(args.command):
            parser.error(f"put {option} after {args.command}")
        if option.startswith("-"):
            command.error(
                f"no option {option}{did_you_mean(option, known)}; see {command.prog} --help"
            )
        command.error(f"{option!r} is one picture too many here; put pictures before the options")
    if args.command in USED:
        args.settings = _settings(args, command)
    return args


def _with_empty_names(words: Sequence[str], parser: Parser) -> list[str]:
    """Keep `--gif` and `--mp4` from taking the picture that follows for their own file."""
    suffixes = {"--gif": (".gif",), "--mp4": (".mp4", ".webm")}
    following = [*words[1:], ""]
    for word, after, third in zip(words, following, [*words[2:], "-", "-"], strict=False):
        own = word == "--gif" and after.lower().endswith(".gif")
        if own and not third.startswith("-") and Path(after).is_file():
            parser.error(
                f"--gif would write to {after!r}, which is there and may be one of the pictures; "
                f"put --gif after the pictures, or write --gif={after}"
            )
    return [
        f"{word}=" if word in suffixes and not after.lower().endswith(suffixes[word]) else word
        for word, after in zip(words, following, strict=False)
    ]


def _parsers() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(
        prog="nstlab", description="Neural style transfer.", epilog=EXAMPLE, allow_abbrev=False
    )
    version = f"nstlab {versions()['nstlab']}"
    parser.add_argument("--version", action="version", version=version)
    shows = "show where an error arose"
    parser.add_argument("--debug", action="store_true", help=shows)
    group = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands = {
        name: group.add_parser(
            name,
            help=does,
            usage=f"nstlab {name} {_USAGE[name]}[options]",
            description=does[0].upper() + does[1:] + ".",
            allow_abbrev=False,
        )
        for name, does in COMMANDS.items()
    }
    _pictures(commands)
    for name, add in (("distill", add_distill_options), ("bench", add_bench_options)):
        add(commands[name])
        _add_carrying_out(commands[name])
    for name, options in USED.items():
        _outputs(commands[name])
        _add_settings(commands[name], options)
    for command in commands.values():
        # Without a default of its own, which would undo a --debug before the command.
        command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=shows)
    return parser, commands


def _pictures(commands: dict[str, Parser]) -> None:
    for name in ("stylize", "invert"):
        commands[name].add_argument("content", metavar="CONTENT", help=f"the photograph: {PICTURE}")
    for name in ("stylize", "texture"):
        commands[name].add_argument(
            "style", metavar="STYLE", nargs="+", help=f"the picture to paint like: {PICTURE}"
        )
    rerun, info = commands["rerun"], commands["info"]
    rerun.add_argument("file", metavar="PICTURE", help="a picture that nstlab saved")
    rerun.add_argument(
        "--picture",
        action="append",
        default=[],
        metavar="FILE",
        help="a picture that went into it and is not beside it, as a file or the address it came "
        "from; may be given several times",
    )
    rerun.add_argument("--encoder", metavar="FILE", help="the weight file that was used")
    rerun.add_argument("-o", "--output", metavar="FILE", help="where to save the new picture")
    rerun.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    _add_carrying_out(rerun)
    info.add_argument(
        "file", metavar="PICTURE", nargs="?", help="a saved picture, or a name of the catalogue"
    )


def _outputs(parser: Parser) -> None:
    group = parser.add_argument_group("what is written")
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the result, .png, .jpg, .webp or .tif; named after the pictures if left out",
    )
    for kind, what in (("gif", "an animation of the run"), ("mp4", "a video of the run")):
        group.add_argument(
            f"--{kind}",
            nargs="?",
            const="",
            metavar="FILE",
            help=f"save {what}, beside the result if no file is named",
        )
    group.add_argument(
        "--frame-every",
        type=int,
        metavar="N",
        help="steps between frames of the animation; a tenth of all if left out",
    )
    group.add_argument(
        "--save-every",
        type=int,
        metavar="N",
        help="save every N-th picture beside the result, as NAME_0050.png",
    )
    group.add_argument(
        "--checkpoint-every",
        type=int,
        metavar="N",
        help="steps between checkpoints; one every 30 seconds if left out",
    )
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--resume", action="store_true", help="go on with a run that was interrupted"
    )
    either.add_argument("--overwrite", action="store_true", help="replace files that are there")
    _add_carrying_out(parser)
    add_forecast(parser)


def _add_carrying_out(parser: Parser) -> None:
    parser.add_argument(
        "--device", metavar="NAME", help="cuda, mps or cpu; the fastest there is if left out"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _add_settings(parser: Parser, options: dict[str, Option]) -> None:
    defaults = Settings()
    group = parser.add_argument_group(
        "settings", "Layers and numbers are separated by commas, or by spaces after the pictures."
    )
    group.add_argument(
        "--start-from", metavar="FILE", help="start from this picture, such as an earlier result"
    )
    for name, option in options.items():
        default = getattr(defaults, name)
        shown = ",".join(default) if isinstance(default, tuple) else default
        text = option.help if default is None else f"{option.help} (default: {shown})"
        more: dict[str, Any] = {"choices": option.choices} if option.choices else {}
        if option.several:
            more["nargs"] = "+"
        if not option.choices:
            more["metavar"] = option.metavar or ("N" if option.kind is int else "X")
            more["type"] = str if option.several else option.kind
        flag = "--" + name.replace("_", "-")
        group.add_argument(flag, default=default, help=text.replace("%", "%%"), **more)


def _settings(args: argparse.Namespace, command: Parser) -> Settings:
    options = USED[args.command]
    if args.start_from is not None and args.start is not None:
        command.error("--start and --start-from both say where to start; give one of them")
    given = {}
    for each in fields(Settings):
        if each.name not in options:
            continue
        value = getattr(args, each.name)
        if isinstance(value, list):
            value = _split(value, options[each.name].kind, each.name, command)
        given[each.name] = value
    try:
        return Settings(**given)
    except ValueError as error:
        command.error(str(error))


def _split(words: Sequence[str], kind: type, name: str, command: Parser) -> tuple[Any, ...]:
    parts = [part for word in words for part in word.replace(",", " ").split()]
    try:
        return tuple(kind(part) for part in parts)
    except ValueError:
        flag = "--" + name.replace("_", "-")
        command.error(f"{flag} takes numbers, got {' '.join(words)!r}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
