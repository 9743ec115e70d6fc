"""Make a saved picture again from the record inside it, with the same pictures and weights."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from nstlab.checkpoints import RecordError
from nstlab.encoders import Encoder, encoder_names, load_encoder
from nstlab.images import PictureError
from nstlab.runs import OnStep, Run, Step, read_record
from nstlab.samples import PictureId, catalogue, identify
from nstlab.settings import Settings
from nstlab.task import Options, PictureSource
from nstlab.transfer import invert, stylize, synthesize_texture
from nstlab.weights import FILE_TYPES

ROLES = {"stylize": ("content", "style"), "invert": ("content",), "texture": ("style",)}
IN_MEMORY = "in memory"  # the name that `identify` gives to pictures without a file
RANDOM = "random-"  # how the names of random weights begin; the seed follows


def rerun(
    path: str | Path,
    *,
    pictures: Sequence[PictureSource] = (),
    encoder: Encoder | str | Path | None = None,
    device: str | torch.device | None = None,
    on_step: OnStep | None = None,
    frame_every: int = 0,
) -> Run:
    """Make a saved picture again; the same bits on the same device with the same versions.

    Each picture that went into it is found by its name (in the catalogue, beside the file, in the
    current folder) or among `pictures`, and taken only if its SHA-256 is the recorded one. So are
    the encoder's weights. A run that was interrupted or stopped is made again up to that step.

    Args:
        path: a PNG or JPEG that `Run.save` wrote.
        pictures: those that went in and cannot be found by name, in any order: files that were
            moved or renamed, PIL images, tensors.
        encoder: the encoder, or its weight file, where it cannot be found by name.
        device: `cuda`, `mps`, `cpu`; None for the fastest there is.
        on_step: see `minimize`.
        frame_every: see `minimize`.

    Returns:
        The run; compare with the old one by `differs`.

    Raises:
        RecordError: no record in the file, or a picture or weights that are missing or others.
        PictureError, WeightsError: something cannot be read.
    """
    record = read_record(path)
    try:
        recipe = record["recipe"]
        task, ids, weights = recipe["task"], recipe["pictures"], recipe["encoder"]
        if missing := [role for role in ROLES[task] if not ids.get(role)]:
            raise ValueError(f"no {missing[0]} picture")
        settings = Settings.from_data(recipe["settings"])
        until = record["steps_made"] if record["ended"] in ("interrupted", "stopped") else None
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(
            f"{Path(path).name} does not say how to make it again ({error!r}); only results of "
            "stylize, invert and synthesize_texture do"
        ) from error
    folders = list(dict.fromkeys([Path(path).expanduser().resolve().parent, Path.cwd()]))
    found = find_pictures(ids, pictures, folders)
    options: Options = {
        "start_picture": found.get("start", [None])[0],
        "encoder": find_encoder(weights, settings, encoder, folders),
        "device": device,
        "on_step": on_step if until is None else _stop_at(until, on_step),
        "frame_every": frame_every,
    }
    if task == "invert":
        return invert(found["content"][0], settings, **options)
    if task == "texture":
        return synthesize_texture(found["style"], settings, **options)
    return stylize(found["content"][0], found["style"], settings, **options)


def find_pictures(
    ids: Mapping[str, Sequence[Mapping[str, str]]],
    given: Sequence[PictureSource],
    folders: Sequence[Path],
) -> dict[str, list[PictureSource]]:
    """The pictures that a record names, each with the recorded SHA-256.

    Args:
        ids: by role, `name` and `sha256` of each, as in `recipe["pictures"]`.
        given: pictures to look among first, whatever their names.
        folders: where to look for files.

    Returns:
        By role, something that `load_picture` takes.

    Raises:
        RecordError: one is missing, or has another content, or a given one belongs to none.
    """
    known = [(identify(source), source) for source in given]
    wanted = {each["sha256"]: each["name"] for several in ids.values() for each in several}
    for identity, _ in known:
        if identity.sha256 not in wanted:
            raise RecordError(_not_wanted(identity, wanted))

    def find(role: str, name: str, sha256: str) -> PictureSource:
        others = []
        for identity, source in known:
            if identity.sha256 == sha256:
                return source
        for source in _places(name, folders):
            try:
                found = identify(source).sha256
            except PictureError:  # a painting that cannot be fetched may still lie in a folder
                continue
            if found == sha256:
                return source
            others.append(found)
        raise RecordError(_not_found(role, name, sha256, others))

    return {
        role: [find(role, each["name"], each["sha256"]) for each in several]
        for role, several in ids.items()
    }


def find_encoder(
    recorded: Mapping[str, Any],
    settings: Settings,
    given: Encoder | str | Path | None,
    folders: Sequence[Path],
) -> Encoder:
    """The encoder that a record names, with the recorded weights.

    Args:
        recorded: `network`, `weights` and `sha256`, as in `recipe["encoder"]`.
        settings: of the run; `pooling` is used.
        given: an encoder, or the name of one or its weight file; None to look for it.
        folders: where to look for its weight file.

    Returns:
        The encoder, on the CPU unless one was given.

    Raises:
        RecordError: it cannot be found, or its network or weights are others.
        WeightsError: its weights cannot be had.
    """
    network, name, sha256 = recorded["network"], recorded["weights"], recorded["sha256"]
    if isinstance(given, Encoder):
        encoder = given
    elif given is not None:
        own = str(given) in encoder_names()
        encoder = load_encoder(
            str(given) if own else network,
            weights=None if own else Path(given).expanduser(),
            pooling=settings.pooling,
        )
    elif sha256 is None and name.startswith(RANDOM):
        seed = int(name.removeprefix(RANDOM))
        encoder = load_encoder(network, weights="random", seed=seed, pooling=settings.pooling)
    elif sha256 is None:
        raise RecordError(
            f"the encoder ({network}, weights {name!r}) was handed over in memory when this "
            "picture was made; hand it over again"
        )
    else:
        encoder = _own_or_file(network, name, settings, folders)
    if (encoder.name, encoder.weights_sha256) != (network, sha256):
        raise RecordError(
            f"the picture was made with {network} and the weights {name!r} of SHA-256 "
            f"{_start(sha256)}, but these are {encoder.name} and {encoder.weights_name!r} of "
            f"SHA-256 {_start(encoder.weights_sha256)}; give the encoder or weight file it was "
            "made with"
        )
    return encoder


def differs(run: Run, record: Mapping[str, Any]) -> str:
    """In what the machine of a run differs from that of a record, on which the last bits depend.

    Args:
        run: the new run.
        record: the old one's, from `read_record`.

    Returns:
        One sentence; empty where versions, device and number of threads agree.
    """
    before, now = record.get("machine", {}), run.machine
    changed = [
        f"{name.replace('_', ' ')} was {before.get(name)}, is {now.get(name)}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    return f"the last bits may differ: {'; '.join(changed)}" if changed else ""


def _own_or_file(network: str, name: str, settings: Settings, folders: Sequence[Path]) -> Encoder:
    """The weights from a file of that name if the settings named one, else the network's own."""
    if settings.weights is None and not settings.encoder.endswith(FILE_TYPES):
        return load_encoder(network, pooling=settings.pooling)
    for folder in folders:
        if (folder / name).is_file():
            return load_encoder(network, weights=folder / name, pooling=settings.pooling)
    raise RecordError(
        f"the weight file {name!r} of the encoder is neither beside the picture nor in the "
        "current folder; say where it is"
    )


def _places(name: str, folders: Sequence[Path]) -> Iterator[PictureSource]:
    if name == IN_MEMORY:
        return
    for folder in folders:
        if (folder / name).is_file():
            yield folder / name
    if name in catalogue():
        yield name


def _not_found(role: str, name: str, sha256: str, others: Sequence[str]) -> str:
    if name == IN_MEMORY:
        return (
            f"the {role} picture was handed over in memory when this one was made (SHA-256 "
            f"{sha256[:12]}), so it can only be handed over again, not found"
        )
    if others:
        found = ", ".join(dict.fromkeys(other[:12] for other in others))
        return (
            f"the {role} picture {name!r} is another one: expected SHA-256 {sha256[:12]}, found "
            f"{found}; give the file that the picture was made from"
        )
    return (
        f"the {role} picture {name!r} is neither beside the picture nor in the current folder; "
        f"say where it is (SHA-256 {sha256[:12]})"
    )


def _not_wanted(identity: PictureId, wanted: Mapping[str, str]) -> str:
    same_name = [sha256[:12] for sha256, name in wanted.items() if name == identity.name]
    if same_name:
        return (
            f"the picture {identity.name!r} is another one: expected SHA-256 "
            f"{' or '.join(same_name)}, found {identity.sha256[:12]}; give the file that the "
            "picture was made from"
        )
    return (
        f"the picture {identity.name!r} (SHA-256 {identity.sha256[:12]}) did not go into this "
        f"run; it was made from {', '.join(sorted(set(wanted.values())))}"
    )


def _start(sha256: str | None) -> str:
    return "unknown" if sha256 is None else sha256[:12]


def _stop_at(step: int, on_step: OnStep | None) -> OnStep:
    def watch(told: Step) -> None:
        if on_step is not None:
            on_step(told)
        if told.step >= step:
            raise StopIteration

    return watch
