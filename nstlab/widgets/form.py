"""The knobs of a run: a control for each setting that one wants to move, and back."""

import math
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from nstlab.encoders import encoder_names, layer_names
from nstlab.optimize import OPTIMIZERS
from nstlab.settings import POOLINGS, Settings
from nstlab.widgets.presets import PRESETS, preset

LAYERS = tuple(name for name in layer_names("lite") if name.startswith("relu"))
SIZES = (96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
OWN = "as it stands"  # no preset
STARTS = ("content", "noise", "smooth_noise", "style")
LOG_STEP = 0.05  # of the exponent of 10
UNITS = {
    "style_weight": "style weight β",
    "content_weight": "content weight α",
    "style_scale": "style size ×",
    "size": "size, longer side",
    "steps": "steps, at most",
}
LABEL = {"description_width": "8.5em"}
WIDE = w.Layout(width="100%", max_width="30em")
TIPS = {
    "style_weight": "β: how strongly the painting's strokes and colours are asked for. More: more "
    "paint, fewer of the photograph's outlines.",
    "content_weight": "α: how strongly the photograph's shapes are asked for. More: outlines stay.",
    "variation_weight": "asks neighbouring pixels to be alike. More: smoother, less grain; too "
    "much blurs.",
    "style_scale": "size of the painting before it is looked at. More: larger strokes.",
    "size": "longer side of the picture. Twice as long takes four times as long, and strokes look "
    "half as large.",
    "steps": "changes made to the picture. Most of it happens in the first hundred.",
    "start": "where the descent begins. The photograph keeps some of its colours; noise draws "
    "everything anew.",
    "optimizer": "how the picture goes down. lbfgs is the fastest; gradient_descent the plainest.",
    "encoder": "the network that looks. lite comes with the package; the others are fetched.",
    "pooling": "how the network shrinks its maps. average is the paper's advice, smoother.",
    "seed": "which noise; matters for a start from noise.",
}


class Form:
    """Controls for settings.

    Attributes:
        controls: by the name of the setting.
        looks, layers, machine: groups of controls, to be placed.
        presets: the control that chooses a look.
    """

    def __init__(self, settings: Settings, on_change: Callable[[Settings], object]) -> None:
        """Make the controls.

        Args:
            settings: what they stand at.
            on_change: called with the new settings when one was moved to a value that is allowed.
        """
        self._settings, self._on_change, self._quiet = settings, on_change, False
        self.controls: dict[str, Any] = {
            "style_weight": w.FloatLogSlider(
                base=10, min=-1, max=4, step=LOG_STEP, readout_format=".3g"
            ),
            "content_weight": w.FloatLogSlider(
                base=10, min=-2, max=2, step=LOG_STEP, readout_format=".3g"
            ),
            "variation_weight": w.FloatSlider(min=0, max=20, step=0.5),
            "style_scale": w.FloatSlider(min=0.25, max=4, step=0.05, continuous_update=False),
            "size": w.SelectionSlider(
                options=[(f"{size} px", size) for size in SIZES], continuous_update=False
            ),
            "steps": w.IntSlider(min=10, max=1000, step=10, continuous_update=False),
            "start": w.Dropdown(options=STARTS),
            "optimizer": w.Dropdown(options=OPTIMIZERS),
            "encoder": w.Dropdown(options=_encoders(settings.encoder)),
            "pooling": w.Dropdown(options=POOLINGS),
            "seed": w.BoundedIntText(min=0, max=2**31),
        }
        for name, control in self.controls.items():
            control.description = UNITS.get(name, name.replace("_", " "))
            control.tooltip = TIPS[name]
            control.style, control.layout = LABEL, WIDE
            control.observe(lambda change, name=name: self._moved(name, change["new"]), "value")
        self._content = {name: _box(f"{name} counts as content") for name in LAYERS}
        self._style = {name: _box(f"{name} counts as style") for name in LAYERS}
        self._shares = {name: _share(name) for name in LAYERS}
        for box in (*self._content.values(), *self._style.values(), *self._shares.values()):
            box.observe(self._layers_moved, "value")
        self.presets = w.Dropdown(
            options=[OWN, *PRESETS], description="preset", style=LABEL, layout=WIDE
        )
        self.presets.tooltip = "Weights and layers that look good; size and steps stay."
        self.presets.observe(lambda change: self._preset(change["new"]), "value")
        self.looks = w.VBox([self.presets, *map(self.controls.get, list(self.controls)[:4])])
        self.machine = w.VBox([*map(self.controls.get, list(self.controls)[4:])])
        self.layers = self._grid()
        self.show(settings, tell=False)

    @property
    def settings(self) -> Settings:
        """What the controls stand at, and all other settings as they were given."""
        return self._settings

    def show(self, settings: Settings, *, tell: bool = True) -> None:
        """Let the controls stand at some settings.

        Args:
            settings: any; a value that a control does not have is added to it.
            tell: whether `on_change` is to be called.
        """
        self._quiet = True
        try:
            for name, control in self.controls.items():
                value = getattr(settings, name)
                if name == "start" and value is None:
                    value = "content"
                _stand_at(control, value)
            shares = settings.style_layer_weights or (1.0,) * len(settings.style_layers)
            for name in LAYERS:
                self._content[name].value = name in settings.content_layers
                self._style[name].value = name in settings.style_layers
                self._shares[name].value = 1.0
                self._shares[name].disabled = name not in settings.style_layers
            for name, share in zip(settings.style_layers, shares, strict=True):
                if name in self._shares:
                    self._shares[name].value = share
        finally:
            self._quiet = False
        self._take(settings, tell)

    def _preset(self, name: str) -> None:
        if name in PRESETS:
            self.show(preset(name, self.settings))

    def _moved(self, name: str, value: object) -> None:
        if not self._quiet:
            self._take(self._settings.change(**{name: value}), True)

    def _layers_moved(self, change: Any) -> None:  # noqa: ANN401
        if self._quiet:
            return
        content = tuple(name for name in LAYERS if self._content[name].value)
        style = tuple(name for name in LAYERS if self._style[name].value)
        for name in LAYERS:
            self._shares[name].disabled = not self._style[name].value
        shares = tuple(self._shares[name].value for name in style)
        if not content or not style or not sum(shares):
            change["owner"].value = change["old"]  # at least one layer stays of each
            return
        equal = len(set(shares)) == 1
        changed = {"content_layers": content, "content_layer_weights": None, "style_layers": style}
        weights = None if equal else shares
        self._take(self._settings.change(**changed, style_layer_weights=weights), True)

    def _take(self, settings: Settings, tell: bool) -> None:
        changed, self._settings = settings != self._settings, settings
        chosen = self.presets.value
        if chosen in PRESETS and preset(chosen, settings) != settings:
            self.presets.value = OWN  # it was moved away from
        if tell and changed:
            self._on_change(settings)

    def _grid(self) -> w.GridBox:
        heads = [w.HTML(f"<b>{word}</b>") for word in ("layer", "content", "style", "its weight")]
        cells: list[w.Widget] = list(heads)
        for name in LAYERS:
            cells += [w.Label(name), self._content[name], self._style[name], self._shares[name]]
        columns = "5em 5em 4em minmax(8em, 1fr)"
        layout = w.Layout(grid_template_columns=columns, max_width="30em", align_items="center")
        return w.GridBox(cells, layout=layout)


def on_log_slider(value: float) -> float:
    """The nearest value at which a logarithmic slider can stand.

    Args:
        value: above 0.

    Returns:
        10 to the power of a multiple of `LOG_STEP`.

    Example:
        >>> round(on_log_slider(509), 1)
        501.2
    """
    return 10 ** (LOG_STEP * round(math.log10(value) / LOG_STEP))


def _encoders(own: str) -> list[str]:
    """Those that have the layers of the paper, and the one that is given."""
    wanted = set(Settings().style_layers)
    fit = [name for name in encoder_names() if wanted <= set(layer_names(name))]
    return list(dict.fromkeys(["lite", *fit, own]))


def _box(tip: str) -> w.Checkbox:
    return w.Checkbox(indent=False, tooltip=tip, layout=w.Layout(width="2em", margin="0 0 0 1em"))


def _share(name: str) -> w.FloatSlider:
    tip = f"share of {name} in the style loss, beside the other layers"
    layout = w.Layout(width="auto")
    return w.FloatSlider(
        1.0, min=0, max=4, step=0.1, tooltip=tip, layout=layout, continuous_update=False
    )


def _stand_at(control: Any, value: Any) -> None:  # noqa: ANN401
    """Set a control, whose range is widened where it must be."""
    if isinstance(control, w.SelectionSlider):
        known = {size for _, size in control.options} | {value}
        control.options = [(f"{size} px", size) for size in sorted(known)]
    elif isinstance(control, w.Dropdown):
        if value not in control.options:
            control.options = (*control.options, value)
    elif isinstance(control, w.FloatLogSlider):
        if value > 0:
            control.max = max(control.max, math.log10(value))
            control.min = min(control.min, math.log10(value))
        value = max(value, control.base**control.min)
    elif hasattr(control, "max"):
        control.max = max(control.max, value)
        control.min = min(control.min, value)
    control.value = value
