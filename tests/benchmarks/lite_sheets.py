"""What the eye says: pictures rebuilt from their features, and styles side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from jaxtyping import Float
from lite_encoders import LABELS
from lite_runs import Runs, describe, markdown, save_sheet, say
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude
from torch import Tensor

from nstlab import Encoder, load_picture, scale_to_cover

INVERTED = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
BLUR = 1 / 64  # standard deviation of the blur, of the longer side
MEASURES = ("psnr", "arrangement", "edges")


def invert_sheet(
    encoders: Mapping[str, Encoder],
    photographs: Mapping[str, str],
    sheet: Path,
    how: Runs,
) -> dict[str, Any]:
    """Rebuild photographs from noise by each layer's features, and draw what came out.

    Args:
        encoders: by name.
        photographs: short name to source.
        sheet: the JPEG to write.
        how: the runs are carried out.

    Returns:
        Encoder to layer to `psnr`, `arrangement` and `edges` (see those functions), each a list
        over the photographs; and the settings.
    """
    figures: dict[str, Any] = {
        "size": how.size,
        "steps": how.steps,
        "photographs": list(photographs),
    }
    figures["encoders"] = {
        name: {layer: {each: [] for each in MEASURES} for layer in INVERTED} for name in encoders
    }
    pictures, titles = [], []
    for photograph, source in photographs.items():
        original = load_picture(source, how.size)
        for name, encoder in encoders.items():
            pictures.append(original)
            titles.append(f"{photograph}, by {LABELS[name]}:")
            for layer in INVERTED:
                run = how.run(encoder, how.settings(content_layers=(layer,)), source)
                found = [each(run.image, original) for each in (psnr, arrangement, edges)]
                for measure, value in zip(MEASURES, found, strict=True):
                    figures["encoders"][name][layer][measure].append(value)
                pictures.append(run.image)
                titles.append(f"{layer}, {_words(found)}")
                say(f"{photograph} by {LABELS[name]}, {titles[-1]} ({run.seconds:.0f} s)")
    save_sheet(pictures, titles, sheet, columns=1 + len(INVERTED), width=how.size)
    return figures


def invert_table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown: medians over the photographs."""
    rows = [["PSNR, correlation of light, of edges (medians)", *INVERTED]]
    for name, layers in figures["encoders"].items():
        cells = [_words([median(found[each]) for each in MEASURES]) for found in layers.values()]
        rows.append([LABELS[name], *cells])
    return markdown(rows)


def style_sheet(
    encoders: Mapping[str, Encoder],
    photographs: Mapping[str, str],
    styles: Mapping[str, str],
    sheet: Path,
    how: Runs,
) -> dict[str, Any]:
    """Paint each photograph in each style by each encoder, default settings, side by side.

    Args:
        encoders: by name; one column each.
        photographs: short name to source.
        styles: likewise; one row for each pair.
        sheet: the JPEG to write.
        how: the runs are carried out.

    Returns:
        Encoder to seconds of each run, and the settings.
    """
    settings = how.settings()
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    pictures, titles = [], []
    for photograph, content in photographs.items():
        for style, painting in styles.items():
            pictures += [load_picture(content), load_picture(painting)]
            titles += [photograph, style]
            for name, encoder in encoders.items():
                run = how.run(encoder, settings, content, painting)
                pictures.append(run.image)
                titles.append(LABELS[name])
                seconds[name].append(run.seconds)
                say(f"{photograph} × {style} by {LABELS[name]}: {run.seconds:.0f} s")
    columns, cell = 2 + len(encoders), (how.size * 3 // 4, how.size)
    cropped = [scale_to_cover(each.clamp(0, 1), *cell) for each in pictures]
    save_sheet(cropped, titles, sheet, columns=columns, width=how.size)
    return {"settings": describe(settings), "seconds": seconds}


def style_table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown: what the runs took; the rest is for the eye."""
    found = figures["seconds"]
    medians = [f"{median(values):.0f}" for values in found.values()]
    heads = [LABELS[name] for name in found]
    return markdown([["", *heads], ["seconds for a run, median", *medians]])


def psnr(image: Float[Tensor, "1 3 h w"], original: Float[Tensor, "1 3 h w"]) -> float:
    """Peak signal-to-noise ratio in decibels, −10 log₁₀ of the mean squared error of RGB in [0, 1].

    Args:
        image: clamped to [0, 1] first.
        original: what it is compared with.

    Returns:
        Above 30 where hardly a difference is seen; at most 100.
    """
    error = (image.clamp(0, 1) - original).square().mean().item()
    return float(-10 * np.log10(max(error, 1e-10)))


def arrangement(image: Float[Tensor, "1 3 h w"], original: Float[Tensor, "1 3 h w"]) -> float:
    """Whether light and dark lie at the same places: correlation of the blurred grey pictures.

    Args:
        image: clamped to [0, 1] first.
        original: what it is compared with.

    Returns:
        1 where all lies in its place, near 0 where nothing does.
    """
    sigma = BLUR * max(original.shape[2:])
    ours, theirs = (gaussian_filter(_grey(each), sigma) for each in (image, original))
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])


def edges(image: Float[Tensor, "1 3 h w"], original: Float[Tensor, "1 3 h w"]) -> float:
    """Whether edges lie at the same places, whatever their colours: deep layers keep no more.

    Args:
        image: clamped to [0, 1] first.
        original: what it is compared with.

    Returns:
        The correlation of the blurred steepness of grey.
    """
    sigma = BLUR * max(original.shape[2:])
    ours, theirs = (
        gaussian_filter(gaussian_gradient_magnitude(_grey(each), 1), sigma)
        for each in (image, original)
    )
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])


def _grey(image: Float[Tensor, "1 3 h w"]) -> np.ndarray:
    return image.clamp(0, 1).mean(1)[0].double().numpy()


def _words(found: Sequence[float]) -> str:
    near, light, steep = found
    return f"{near:.1f} dB, {light:.2f}, {steep:.2f}"
