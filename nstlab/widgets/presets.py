"""Settings that look good, and settings as code to paste."""

from dataclasses import fields
from typing import Any

from nstlab.settings import Settings
from nstlab.stock import PictureSource

LOOK = (
    *("style_weight", "content_weight", "variation_weight"),
    *("content_layers", "content_layer_weights", "style_layers", "style_layer_weights"),
    *("start", "style_scale", "normalization"),
)  # what a preset decides
PRESETS: dict[str, dict[str, Any]] = {
    "balanced": {},
    "gentle": {"style_weight": 8.0},
    "strong": {"style_weight": 200.0},
    "drawn anew": {"start": "noise", "style_weight": 60.0, "variation_weight": 2.0},
    "outlines kept": {"content_layers": ("relu3_1",), "style_weight": 60.0},
    "fine strokes": {"style_layers": ("relu1_1", "relu2_1", "relu3_1"), "style_weight": 60.0},
    "large shapes": {"style_layer_weights": (0.5, 0.5, 1.0, 2.0, 2.0), "style_weight": 100.0},
}


def preset(name: str, base: Settings) -> Settings:
    """Settings with the look of a preset; size, steps, encoder and the like stay.

    Args:
        name: one of `PRESETS`.
        base: what stays.

    Returns:
        The settings.

    Raises:
        ValueError: no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; there is: {', '.join(PRESETS)}")
    plain = Settings()
    usual = {each: getattr(plain, each) for each in LOOK}
    return base.change(**usual | PRESETS[name])


def as_code(content: PictureSource, styles: list[PictureSource], settings: Settings) -> str:
    """A cell of Python that makes the same run again.

    Args:
        content: the content picture, by name where it has one.
        styles: likewise.
        settings: those that differ from the defaults are written.

    Returns:
        Lines of code; a picture without a name is left as a placeholder.
    """
    plain = Settings()
    changed = [
        f"    {each.name}={getattr(settings, each.name)!r},"
        for each in fields(Settings)
        if getattr(settings, each.name) != getattr(plain, each.name)
    ]
    given = ["settings = Settings(", *changed, ")"] if changed else ["settings = Settings()"]
    names = [_name(each) for each in styles]
    style = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    return "\n".join(
        [
            "from nstlab import Settings, stylize",
            "",
            *given,
            f"run = stylize({_name(content)}, {style}, settings)",
        ]
    )


def _name(picture: PictureSource) -> str:
    return repr(picture) if isinstance(picture, str) else '"your_picture.png"'
