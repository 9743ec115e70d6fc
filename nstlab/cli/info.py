"""What `nstlab info` tells: what there is on this machine, or what one picture holds."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch

from nstlab.checkpoints import RecordError
from nstlab.cli.show import columns, plain
from nstlab.encoders import encoder_names, layer_names
from nstlab.images import SUFFIXES
from nstlab.rerun import ROLES
from nstlab.runs import read_record
from nstlab.runtime import available_devices, cache_folder, choose_device, default_encoder, versions
from nstlab.samples import Sample, catalogue
from nstlab.weights import weights_at_hand
from nstlab.words import duration


def info(args: Namespace) -> int:
    """Write it to stdout.

    Args:
        args: the parsed command line.

    Returns:
        The exit code, 0.

    Raises:
        PictureError, RecordError: the file is no picture, or carries no settings.
    """
    if args.file is None:
        text = _everything()
    elif args.file in catalogue():
        text = _sample(catalogue()[args.file])
    else:
        text = _record(args.file)
    sys.stdout.write(text)
    return 0


def _everything() -> str:
    chosen = str(choose_device())
    devices = [
        [name, _device(name), "used" if name == chosen else ""] for name in available_devices()
    ]
    encoders = [
        [
            name,
            f"{len(layer_names(name))} layers",
            _weights(name),
            "used" if name == default_encoder() else "",
        ]
        for name in encoder_names()
    ]
    parts = [
        ("Versions", [[name, version] for name, version in versions().items()]),
        ("Devices", devices),
        ("Encoders", encoders),
    ]
    kinds = {
        "photograph": "Photographs (bundled)",
        "style": "Styles (bundled)",
        "painting": "Paintings (fetched at the first use)",
    }
    for kind, title in kinds.items():
        samples = [sample for sample in catalogue().values() if sample.kind == kind]
        parts.append((title, [_row(sample) for sample in samples]))
    text = "\n".join(f"{title}\n{columns(rows)}" for title, rows in parts)
    return f"{text}\nDownloads are kept in {cache_folder()}\n"


def _row(sample: Sample) -> list[str]:
    kept = ""
    if sample.kind == "painting":
        places = [cache_folder() / "pictures" / f"{sample.name}{suffix}" for suffix in SUFFIXES]
        kept = "at hand" if any(place.is_file() for place in places) else ""
    return [sample.name, sample.title, sample.author, sample.year, sample.licence, kept]


def _device(name: str) -> str:
    if name.startswith("cuda"):
        return torch.cuda.get_device_name(name)
    if name == "mps":
        return "Apple GPU"
    count = torch.get_num_threads()
    return f"{count} thread" + ("s" if count > 1 else "")


def _weights(name: str) -> str:
    """Whether weights are here."""
    if name == "lite":
        return "bundled"
    return "at hand" if weights_at_hand(name) else "fetched at the first use"


def _sample(sample: Sample) -> str:
    rows = [
        ["title", sample.title],
        ["author", sample.author],
        ["year", sample.year or "unknown"],
        ["licence", sample.licence],
        ["kind", sample.kind],
        ["source", sample.source, "" if sample.tried else "address not tried"],
    ]
    return f"{sample.name}\n{columns(rows)}"


def _record(file: str) -> str:
    record, name = read_record(file), Path(file).name
    try:
        return "\n".join(
            f"{title}\n{columns(rows)}" for title, rows in _parts(record, plain(name)) if rows
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RecordError(
            f"the settings inside {name} are damaged, or nstlab did not write them ({error!r})"
        ) from error


def _parts(record: dict[str, Any], name: str) -> list[tuple[str, list[list[str]]]]:
    recipe, machine = record["recipe"], record["machine"]
    losses = [
        [name, f"{values[0]:.4g} at the start, {values[-1]:.4g} at the end"]
        for name, values in record["losses"].items()
    ]
    steps, seconds = record["steps_made"], duration(record["seconds"])
    ended = [["ended", f"{record['ended']} after {steps} steps, {seconds}"]]
    ended += [["", str(message)] for message in record["messages"]]
    parts = [
        ("Run", ended),
        ("Losses", losses),
        ("Made with", [[name.replace("_", " "), str(value)] for name, value in machine.items()]),
    ]
    if recipe.get("task") not in ROLES:
        own = [["task", "one of your own"]]
        return [(name, own + [[key, _value(value)] for key, value in recipe.items()]), *parts]
    rows = [["task", recipe["task"]]]
    for role, pictures in recipe["pictures"].items():
        rows += [[role, each["name"], f"SHA-256 {each['sha256'][:12]}"] for each in pictures]
    encoder = recipe["encoder"]
    found = f"SHA-256 {encoder['sha256'][:12]}" if encoder["sha256"] else ""
    rows.append(["encoder", f"{encoder['network']} ({encoder['weights']})", found])
    settings = [[name, _value(value)] for name, value in recipe["settings"].items()]
    return [(name, rows), *parts[:2], ("Settings", settings), parts[2]]


def _value(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "as usual" if value is None else str(value)
