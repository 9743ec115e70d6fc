"""The catalogue: every picture that has a name here, with its author and licence."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from nstlab.images import PictureError
from nstlab.runtime import data_folder

Kind = Literal["photograph", "style", "painting"]


@dataclass(frozen=True)
class Sample:
    """A picture of the catalogue.

    Attributes:
        name: what `load_picture` knows it by.
        title: the work's title, or what the picture shows.
        author: who made it.
        year: as the source states it; empty where it does not.
        licence: the terms under which it may be used.
        kind: `photograph` and `style` are on this machine, a `painting` is fetched on request.
        source: a file of nstlab's data folder or of scikit-image, or a painting's address.
        tried: false for an address that was not tried when this table was made.
    """

    name: str
    title: str
    author: str
    year: str
    licence: str
    kind: Kind
    source: str
    tried: bool = True


_FREE = "public domain"
_CC0 = "CC0 1.0"
_CC_BY = "CC BY 2.0"

# Name, title, author, year, licence, file. The first five come with scikit-image.
_PHOTOGRAPHS = (
    ("astronaut", "Eileen Collins, astronaut", "NASA", "", _FREE, "skimage/data/astronaut.png"),
    ("coffee", "Coffee cup", "Rachel Michetti", "", _CC0, "skimage/data/coffee.png"),
    ("chelsea", "Chelsea the cat", "Stéfan van der Walt", "", _CC0, "skimage/data/chelsea.png"),
    ("rocket", "Launch of a Falcon 9", "SpaceX", "2015", _CC0, "skimage/data/rocket.jpg"),
    ("hubble", "Hubble deep field", "NASA", "2012", _FREE, "skimage/data/hubble_deep_field.jpg"),
    (
        "china",
        "A tower above a lake in China",
        "danielbuechele (Flickr)",
        "2011 or earlier",
        _CC_BY,
        "photographs/china.jpg",
    ),
    (
        "flower",
        "A dahlia",
        "vultilion (Flickr)",
        "2011 or earlier",
        _CC_BY,
        "photographs/flower.jpg",
    ),
)
# Two pictures of each hand, by their titles.
_STYLES = {
    "swirls": ("Blue Night over the Village", "Orange Moon over the Wheat"),
    "woodblock": ("The Great Blue Wave", "Green Wave at Sunset"),
    "pointillist": ("Summer Afternoon by the River", "Autumn Poplars at Sunset"),
    "stained_glass": ("Rose Window in Ruby and Cobalt", "Sun, River and Irises"),
    "night_street": ("Café Terrace under Stars", "Wet Boulevard with Lamps"),
    "ink_hatching": ("Hill Town above the Bridge", "Still Life with Blue Jug"),
}
_VAN_GOGH = "Vincent van Gogh"
_COMMONS = "https://commons.wikimedia.org/wiki/Special:FilePath/"
# Name, title, author, year, file name on Wikimedia Commons.
_PAINTINGS = (
    (
        "cafe_terrace",
        "Café Terrace at Night",
        _VAN_GOGH,
        "1888",
        "Vincent Willem van Gogh - Cafe Terrace at Night (Yorck).jpg",
    ),
    ("night_cafe", "The Night Café", _VAN_GOGH, "1888", "Vincent Willem van Gogh 076.jpg"),
    (
        "starry_night",
        "The Starry Night",
        _VAN_GOGH,
        "1889",
        "Van Gogh - Starry Night - Google Art Project.jpg",
    ),
    (
        "starry_night_rhone",
        "Starry Night over the Rhône",
        _VAN_GOGH,
        "1888",
        "Starry Night Over the Rhone.jpg",
    ),
    (
        "van_gogh_self_portrait",
        "Self-Portrait",
        _VAN_GOGH,
        "1889",
        "Vincent van Gogh - Self-Portrait - Google Art Project (454045).jpg",
    ),
    (
        "great_wave",
        "The Great Wave off Kanagawa",
        "Katsushika Hokusai",
        "about 1831",
        "Tsunami by hokusai 19th century.jpg",
    ),
    (
        "the_scream",
        "The Scream",
        "Edvard Munch",
        "1893",
        "Edvard Munch, 1893, The Scream, oil, tempera and pastel on cardboard, 91 x 73 cm, "
        "National Gallery of Norway.jpg",
    ),
)


def _all_samples() -> dict[str, Sample]:
    samples = [
        Sample(name, title, author, year, licence, "photograph", file)
        for name, title, author, year, licence, file in _PHOTOGRAPHS
    ]
    samples += [
        Sample(
            f"{kind}_{number}",
            title,
            "the nstlab authors",
            "2026",
            _CC0,
            "style",
            f"styles/{kind}_{number}.jpg",
        )
        for kind, titles in _STYLES.items()
        for number, title in enumerate(titles, start=1)
    ]
    # No hashes: nobody could try these addresses when the table was made.
    samples += [
        Sample(
            name,
            title,
            author,
            year,
            _FREE,
            "painting",
            f"{_COMMONS}{quote(file)}?width=1280",
            tried=False,
        )
        for name, title, author, year, file in _PAINTINGS
    ]
    return {sample.name: sample for sample in samples}


_SAMPLES = _all_samples()


def catalogue() -> dict[str, Sample]:
    """Every picture that has a name: photographs, styles, and paintings to be fetched.

    Returns:
        Name to `Sample`; a new dictionary each time.

    Example:
        >>> catalogue()["starry_night"].author
        'Vincent van Gogh'
        >>> [name for name, sample in catalogue().items() if sample.kind == "style"][:2]
        ['swirls_1', 'swirls_2']
    """
    return dict(_SAMPLES)


def bundled_file(sample: Sample) -> Path:
    """Where a photograph or style lies on this machine.

    Args:
        sample: one whose `kind` is not `painting`.

    Returns:
        An existing file.

    Raises:
        PictureError: the file is missing from the installation.
    """
    package, _, inside = sample.source.partition("/")
    if package == "skimage":
        # Found without importing scikit-image, which takes its time and is not needed here.
        found = find_spec("skimage")
        places = (found.submodule_search_locations or []) if found else []
        files = [Path(place, inside) for place in places]
    else:
        file = data_folder() / sample.source
        files = [file, file.with_suffix(".png")]
    for file in files:
        if file.is_file():
            return file
    owner = "scikit-image" if package == "skimage" else "nstlab"
    raise PictureError(
        f"the file of the picture {sample.name!r} ({sample.source}) is not there; "
        f"install {owner} again, or use another picture"
    )
