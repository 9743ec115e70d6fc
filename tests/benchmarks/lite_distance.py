"""Do students and teachers put pictures into the same order of style distance?"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lite_encoders import COMPRESSED_FILE, LABELS, REAL_FILE, shared_file
from lite_runs import markdown, say

from nstlab import Encoder, load_picture
from nstlab.distill.agreement import agreement, gram_matrices
from nstlab.distill.teachers import load_teacher

TEACHERS = {  # the real VGG-19's file ends at relu3_4
    REAL_FILE: ("relu1_1", "relu2_1", "relu3_1"),
    COMPRESSED_FILE: ("relu4_1", "relu5_1"),
}
LAYERS = tuple(layer for layers in TEACHERS.values() for layer in layers)
TO_REACH = {"raw": (0.98, 0.97, 0.95, 0.95, 0.95), "normed": (0.99, 0.96, 0.94, 0.94, 0.88)}


def held_out_pictures() -> list[Path]:
    """The photographs that nothing was trained on, and all paintings."""
    folders = (shared_file("images", "natural_held_out"), shared_file("images", "style"))
    return [path for folder in folders for path in sorted(folder.glob("*.jpg"))]


def measure(
    encoders: Mapping[str, Encoder],
    *,
    size: int | tuple[int, int] = 256,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Spearman's correlation of Gram distances with the teachers', for each encoder and layer.

    Args:
        encoders: by name.
        size: longer side of the pictures in pixels, or (height, width).
        resamples: of the bootstrap; see `agreement`.

    Returns:
        `raw` and `normed` to encoder to layer to correlation, low, high; and the settings.
    """
    pictures = [load_picture(path, size) for path in held_out_pictures()]
    taught = {}
    for file, layers in TEACHERS.items():
        say(f"Gram matrices of {len(pictures)} pictures by {file}")
        taught |= gram_matrices(load_teacher(shared_file("weights", file)), pictures, layers)
    figures: dict[str, Any] = {"pictures": len(pictures), "size": size, "resamples": resamples}
    figures |= {kind: {name: {} for name in encoders} for kind in TO_REACH}
    for name, encoder in encoders.items():
        say(f"Gram matrices by {LABELS[name]}")
        grams = gram_matrices(encoder, pictures, LAYERS)
        for kind in TO_REACH:
            for layer in LAYERS:
                found = agreement(
                    grams[layer], taught[layer], normed=kind == "normed", resamples=resamples
                )
                figures[kind][name][layer] = asdict(found)
    return figures


def table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown: correlation and 95 % interval."""
    rows = [["Spearman correlation", *LAYERS]]
    for kind, wanted in TO_REACH.items():
        for name, layers in figures[kind].items():
            cells = [f"{v['correlation']:.3f} ({_interval(v)})" for v in layers.values()]
            rows.append([f"{kind}: {LABELS[name]}", *cells])
        rows.append([f"{kind}: to reach", *(f"{value:.2f}" for value in wanted)])
    return markdown(rows)


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['low']:.3f} to {value['high']:.3f}"
