"""Find what went into a saved picture, by name and SHA-256: its pictures and its encoder.

Names come from the record and may be forged. So a name with a folder in it is not followed, and a
weight file is read only once its SHA-256 is known to be the recorded one.
"""

import os.path
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nstlab.checkpoints import RecordError
from nstlab.encoders import Encoder, encoder_names, load_encoder
from nstlab.images import PictureError
from nstlab.rerun.recipe import Recipe, is_file_name
from nstlab.samples import PictureId, catalogue, identify
from nstlab.stock import PictureSource
from nstlab.weights import FILE_TYPES, weights_address, weights_origin

IN_MEMORY = "in memory"  # the name that `identify` gives to pictures without a file
RANDOM = "random-"  # how the names of random weights begin; the seed follows
GIVE_PICTURE = "hand it over (pictures=[...]; on the command line --picture FILE or ADDRESS)"
GIVE_ENCODER = "hand it over (encoder=...; on the command line --encoder FILE)"


def find_pictures(
    ids: Mapping[str, Sequence[PictureId]],
    given: Sequence[PictureSource],
    folders: Sequence[Path],
) -> dict[str, list[PictureSource]]:
    """The pictures that a record names, each with the recorded SHA-256.

    Args:
        ids: those pictures by role.
        given: pictures to look among first, whatever their names.
        folders: where to look for files.

    Returns:
        By role, something that `load_picture` takes.

    Raises:
        RecordError: one is missing, or has another content, or a given one belongs to none.
    """
    known = {identify(source): source for source in given}
    by_content = {identity.sha256: source for identity, source in known.items()}
    wanted = {each.sha256: each.name for several in ids.values() for each in several}
    for identity in known:
        if identity.sha256 not in wanted:
            raise RecordError(_not_wanted(identity, wanted))

    def find(role: str, picture: PictureId) -> PictureSource:
        others = []
        if picture.sha256 in by_content:
            return by_content[picture.sha256]
        for source in _places(picture.name, folders):
            try:
                found = identify(source).sha256
            except PictureError:  # a painting that cannot be fetched may still lie in a folder
                continue
            if found == picture.sha256:
                return source
            others.append(found)
        raise RecordError(_not_found(role, picture, others))

    return {role: [find(role, each) for each in several] for role, several in ids.items()}


def find_encoder(
    recipe: Recipe, given: Encoder | str | Path | None, folders: Sequence[Path]
) -> Encoder:
    """The encoder that a record names, with the recorded weights.

    Args:
        recipe: of the picture.
        given: an encoder, or the name of one or its weight file; None to look for it.
        folders: where to look for its weight file.

    Returns:
        The encoder, on the CPU unless one was given.

    Raises:
        RecordError: it cannot be found, or its network, weights or pooling are others.
        WeightsError: its weights cannot be had.
    """
    network, pooling = recipe.network, recipe.settings.pooling
    if isinstance(given, Encoder):
        encoder = given
    elif given is not None and str(given) in encoder_names():
        encoder = load_encoder(str(given), pooling=pooling)
    elif given is not None:
        file = Path(given).expanduser()
        if file.is_file() and (found := weights_origin(file))[1] != recipe.sha256:
            raise RecordError(_others(recipe, "", *found))
        encoder = load_encoder(network, weights=file, pooling=pooling)
    elif recipe.sha256 is not None:
        encoder = _own_or_file(recipe, folders)
    elif recipe.weights.startswith(RANDOM):
        seed = _seed(recipe.weights)
        encoder = load_encoder(network, weights="random", seed=seed, pooling=pooling)
    else:
        raise RecordError(
            f"the encoder ({network}, weights {recipe.weights!r}) was handed over in memory when "
            f"this picture was made; {GIVE_ENCODER}"
        )
    same = (encoder.name, encoder.weights_sha256) == (network, recipe.sha256)
    if recipe.sha256 is None:
        same = same and encoder.weights_name == recipe.weights
    if not same:
        name, sha256 = encoder.weights_name, encoder.weights_sha256
        raise RecordError(_others(recipe, encoder.name, name, sha256))
    if encoder.pooling != pooling:
        raise RecordError(
            f"the picture was made with {pooling} pooling, but this encoder has "
            f"{encoder.pooling}; load it with pooling={pooling!r}"
        )
    return encoder


def _own_or_file(recipe: Recipe, folders: Sequence[Path]) -> Encoder:
    """A weight file of the recorded name and content, else the weights that the network has."""
    network, name, pooling = recipe.network, recipe.weights, recipe.settings.pooling
    others = []
    if is_file_name(name) and name.endswith(FILE_TYPES):
        for file in (folder / name for folder in folders):
            if not os.path.isfile(file):
                continue
            found = weights_origin(file)
            if found[1] == recipe.sha256:
                return load_encoder(network, weights=file, pooling=pooling)
            others.append(found)
    own = "lite.safetensors" if network == "lite" else weights_address(network).rsplit("/", 1)[-1]
    if name == own:
        return load_encoder(network, pooling=pooling)
    if others:
        raise RecordError(_others(recipe, "", *others[0]))
    raise RecordError(
        f"the weight file {name!r} of the encoder is neither beside the picture nor in the "
        f"current folder; {GIVE_ENCODER}"
    )


def _seed(name: str) -> int:
    number = name.removeprefix(RANDOM)
    if not (number.isdecimal() and number.isascii() and int(number[:20]) < 2**63):
        raise RecordError(f"the record names random weights {name!r}, but no seed such as random-0")
    return int(number)


def _places(name: str, folders: Sequence[Path]) -> Iterator[PictureSource]:
    if name == IN_MEMORY or not is_file_name(name):
        return
    for folder in folders:
        if os.path.isfile(folder / name):  # unlike Path's, it takes any name
            yield folder / name
    if name in catalogue():
        yield name


def _not_found(role: str, picture: PictureId, others: Sequence[str]) -> str:
    name, known_as = picture.name, f"SHA-256 {picture.sha256[:12]}"
    if name == IN_MEMORY:
        return (
            f"the {role} picture was handed over in memory when this one was made ({known_as}), "
            f"so it cannot be found; {GIVE_PICTURE}"
        )
    if others:
        found = ", ".join(dict.fromkeys(other[:12] for other in others))
        return (
            f"the {role} picture {name!r} is another one: expected {known_as}, found {found}; "
            f"find the file that the picture was made from and {GIVE_PICTURE}"
        )
    if not is_file_name(name):
        return (
            f"the {role} picture {name!r} is named with a folder, where it is not looked for; "
            f"{GIVE_PICTURE}"
        )
    return (
        f"the {role} picture {name!r} is neither beside the picture nor in the current folder "
        f"({known_as}); {GIVE_PICTURE}"
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


def _others(recipe: Recipe, network: str, name: str, sha256: str | None) -> str:
    these = f"{network} and {name!r}" if network else repr(name)
    return (
        f"the picture was made with {recipe.network} and the weights {recipe.weights!r} of SHA-256 "
        f"{_start(recipe.sha256)}, but these are {these} of SHA-256 {_start(sha256)}; give the "
        "encoder or weight file it was made with (encoder=...; on the command line --encoder FILE)"
    )


def _start(sha256: str | None) -> str:
    return "unknown" if sha256 is None else sha256[:12]
