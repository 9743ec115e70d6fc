"""Choosing pictures: thumbnails of the catalogue, and one's own by upload."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as w
from jaxtyping import Float
from torch import Tensor

from nstlab.images import PictureError, encode, open_picture, resize, scale_to_cover
from nstlab.samples import catalogue, load_picture
from nstlab.stock import PictureSource

SIDE = (66, 88)  # pixels of a thumbnail, height and width
LARGEST_UPLOAD = 10 * 2**20  # bytes; a server closes the connection at more
LARGEST_SIDE = 4096  # pixels; beyond it an upload is made smaller, which no run here would see


@dataclass
class Choice:
    """A picture that can be chosen.

    Attributes:
        label: its name.
        source: what runs are given: a name, or an uploaded picture.
        box: its thumbnail over its tick box.
        tick: whether it is chosen.
    """

    label: str
    source: PictureSource
    box: w.VBox
    tick: w.Checkbox


class Gallery:
    """Thumbnails with a tick each, and an upload; tells when the choice changes.

    Attributes:
        widget: to be shown.
        several: whether more than one may be chosen; each then has a slider for its share.
        error: the line that says what is wrong with an upload; empty where nothing is.
    """

    def __init__(
        self,
        title: str,
        names: Sequence[str],
        chosen: Sequence[str],
        on_change: Callable[[], object],
        *,
        several: bool = False,
    ) -> None:
        """Show pictures of the catalogue.

        Args:
            title: above them.
            names: of pictures that lie on this machine.
            chosen: those ticked first.
            on_change: called after a change of the choice or of a share.
            several: see the attributes.
        """
        self.several, self._on_change, self._quiet = several, on_change, False
        self._choices: list[Choice] = []
        across = f"repeat(auto-fill, minmax({SIDE[1] + 10}px, 1fr))"
        self._grid = w.GridBox(layout=w.Layout(grid_template_columns=across, overflow="visible"))
        self._shares = w.VBox()
        self._sliders: dict[str, w.FloatSlider] = {}
        self._upload = w.FileUpload(accept="image/*", multiple=False, description="your own…")
        self._upload.tooltip = "a picture of yours, up to 10 MB; it stays with the kernel"
        self._upload.observe(lambda change: self._uploaded(change["new"]), "value")
        self._line = w.HTML()
        head = w.HTML(f"<b>{title}</b>")
        self.widget = w.VBox([head, self._grid, self._shares, self._upload, self._line])
        for name in names:
            self._add(name, name, load_picture(name), name in chosen)
        self._arrange()

    @property
    def chosen(self) -> list[PictureSource]:
        """The pictures that are ticked, in the order of the thumbnails."""
        return [each.source for each in self._choices if each.tick.value]

    @property
    def labels(self) -> list[str]:
        """Their names."""
        return [each.label for each in self._choices if each.tick.value]

    @property
    def blend(self) -> tuple[float, ...] | None:
        """Their shares; None where they are equal or all zero, or where there is but one."""
        shares = tuple(self._sliders[label].value for label in self.labels if self.several)
        return shares if len(set(shares)) > 1 else None

    @property
    def error(self) -> str:
        """What is wrong with the last upload."""
        return self._line.value

    def mix(self, shares: Mapping[str, float]) -> None:
        """Set the shares of some pictures.

        Args:
            shares: by name; of the others nothing changes.
        """
        self._quiet = True
        for label, share in shares.items():
            self._sliders[label].value = share
        self._quiet = False

    def choose(self, labels: Sequence[str]) -> None:
        """Tick some pictures and no other.

        Args:
            labels: names of pictures that are shown.
        """
        self._quiet = True
        for each in self._choices:
            each.tick.value = each.label in labels
        self._quiet = False
        self._arrange()

    def add_upload(self, name: str, data: bytes) -> bool:
        """Take in a picture and choose it; say in a line why not, where it is none.

        Args:
            name: of the file.
            data: its bytes.

        Returns:
            Whether it was taken.
        """
        try:
            if len(data) > LARGEST_UPLOAD:
                size, most = len(data) / 2**20, LARGEST_UPLOAD >> 20
                raise PictureError(f"has {size:.0f} MB; at most {most} MB can be taken")
            picture = open_picture(data)
        except (PictureError, MemoryError) as error:
            self._line.value = _plain(f"{name}: {error or 'there is not enough memory for it'}")
            return False
        self._line.value = ""
        if max(picture.shape) > LARGEST_SIDE:
            picture = resize(picture, LARGEST_SIDE)
        label = name
        while label in [each.label for each in self._choices]:
            label += "'"
        self._add(label, picture, picture, False)
        self.choose([label] if not self.several else [*self.labels, label])
        self._on_change()
        return True

    def _uploaded(self, files: Sequence[Any]) -> None:
        for file in files:
            self.add_upload(file["name"], bytes(file["content"]))
        if files:
            self._upload.value = ()  # the bytes are not needed any more

    def _add(
        self, label: str, source: PictureSource, picture: Float[Tensor, "1 3 h w"], on: bool
    ) -> None:
        shown = encode(scale_to_cover(picture, *SIDE), "jpeg")
        size = w.Layout(width=f"{SIDE[1]}px", height=f"{SIDE[0]}px", margin="0")
        picture_box = w.Image(value=shown, format="jpeg", layout=size)
        tick = w.Checkbox(on, description=_short(label), indent=False, tooltip=label)
        tick.layout = w.Layout(width="auto", margin="0")
        tick.observe(lambda change, label=label: self._ticked(label, change["new"]), "value")
        box = w.VBox([picture_box, tick], layout=w.Layout(margin="0 2px 4px 0"))
        self._choices.append(Choice(label, source, box, tick))
        self._sliders[label] = w.FloatSlider(
            1.0,
            min=0,
            max=4,
            step=0.1,
            description=_short(label),
            tooltip=f"share of {label} in the style, beside the others",
            continuous_update=False,
            layout=w.Layout(width="100%", max_width="30em"),
        )
        self._sliders[label].observe(lambda _change: self._told(), "value")
        self._grid.children = [each.box for each in self._choices]

    def _ticked(self, label: str, on: bool) -> None:
        if self._quiet:
            return
        if on and not self.several:
            self.choose([label])
        elif not self.chosen:  # one picture at least
            self.choose([label])
            return
        self._arrange()
        self._told()

    def _arrange(self) -> None:
        sliders = [self._sliders[label] for label in self.labels]
        self._shares.children = sliders if self.several and len(sliders) > 1 else []

    def _told(self) -> None:
        if not self._quiet:
            self._on_change()


def on_this_machine(*kinds: str) -> list[str]:
    """Names of the catalogue's pictures that need no network.

    Args:
        *kinds: `photograph`, `style`.

    Returns:
        The names.
    """
    return [name for name, sample in catalogue().items() if sample.kind in kinds]


def _short(label: str, most: int = 13) -> str:
    """A name that fits under a thumbnail: first word and number, or its beginning."""
    words = label.replace("_", " ").split()
    if len(words) > 2 and words[-1].isdigit():
        words = [words[0], words[-1]]
    plain = " ".join(words)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _plain(words: str) -> str:
    return f'<span role="alert">{html.escape(words)}</span>'
