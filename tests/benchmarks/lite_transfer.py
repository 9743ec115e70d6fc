"""How far a transfer by another encoder gets, in the eyes of the real VGG-19."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from lite_encoders import LABELS
from lite_runs import Runs, describe, markdown, say
from torch import Tensor

from nstlab import Encoder, content_loss, gram_matrix, load_picture, style_loss
from nstlab.images import resize

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
UNSEEN_LAYERS = ("relu1_2", "relu2_2", "relu3_4")  # that nobody optimised the style of
CONTENT_LAYER = "relu3_4"  # for all encoders: the default, relu4_2, is not in the real one's file
TO_REACH = ("≥ 90 %", "≤ 0.33", "≤ 3", "", "")


@dataclass(frozen=True)
class Score:
    """What the real VGG-19 says about a picture; `relative` losses, layers in equal shares.

    Attributes:
        style: at `STYLE_LAYERS`.
        unseen: style at `UNSEEN_LAYERS`.
        content: at `CONTENT_LAYER`.
    """

    style: float
    unseen: float
    content: float


@torch.no_grad()
def judge(
    real: Encoder,
    image: Float[Tensor, "1 3 h w"],
    content: Float[Tensor, "1 3 h w"],
    style: Float[Tensor, "1 3 i j"],
) -> Score:
    """Losses of a picture.

    Args:
        real: the VGG-19.
        image: the picture to judge, of the content picture's size and not rounded to 8 bits.
        content: the photograph.
        style: the painting.

    Returns:
        The losses, 0 where the picture could not be better.
    """
    layers = (*STYLE_LAYERS, *UNSEEN_LAYERS)
    seen, wanted = real(image, layers), real(style, layers)
    losses = {
        name: style_loss(gram_matrix(seen[name]), gram_matrix(wanted[name])).item()
        for name in layers
    }
    kept = real(content, [CONTENT_LAYER])[CONTENT_LAYER]
    return Score(
        sum(losses[name] for name in STYLE_LAYERS) / len(STYLE_LAYERS),
        sum(losses[name] for name in UNSEEN_LAYERS) / len(UNSEEN_LAYERS),
        content_loss(seen[CONTENT_LAYER], kept).item(),
    )


def measure(
    encoders: Mapping[str, Encoder],
    photographs: Mapping[str, str],
    paintings: Mapping[str, str],
    how: Runs,
) -> dict[str, Any]:
    """Run each pair by each encoder and score it; finished runs are taken from the folder.

    Args:
        encoders: by name; `real`, the judge, must be one of them.
        photographs: short name to source.
        paintings: likewise.
        how: the runs are carried out.

    Returns:
        `pairs`: for each pair its names, the score of the photograph as `start`, and for each
        encoder score and seconds; `summary` over all pairs (see `summary`); and the settings.
    """
    settings = how.settings(
        start="content", style_layers=STYLE_LAYERS, content_layers=(CONTENT_LAYER,)
    )
    total = len(photographs) * len(paintings) * len(encoders)
    pairs, done = [], 0
    for photograph, content in photographs.items():
        for painting, style in paintings.items():
            start, target = load_picture(content, how.size), resize(load_picture(style), how.size)
            pair: dict[str, Any] = {"photograph": photograph, "painting": painting}
            pair["start"] = asdict(judge(encoders["real"], start, start, target))
            for name, encoder in encoders.items():
                run = how.run(encoder, settings, content, style)
                score = asdict(judge(encoders["real"], run.image, start, target))
                pair[name] = {**score, "ended": run.ended, "seconds": run.seconds}
                done += 1
                say(
                    f"[{done}/{total}] {photograph} × {painting} by {LABELS[name]}: style "
                    f"{score['style']:.4g} ({run.ended}, {run.seconds:.0f} s)"
                )
            pairs.append(pair)
    return {
        "settings": describe(settings),
        "pairs": pairs,
        "summary": summary(pairs, list(encoders)),
    }


def gap_closed(pair: Mapping[str, Any], name: str) -> float:
    """Share of the real VGG-19's way down in style that another encoder goes: 1 is as far as it."""
    start, reached = pair["start"]["style"], pair[name]["style"]
    return (start - reached) / (start - pair["real"]["style"])


def summary(
    pairs: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """Median and the worst over all pairs, for each encoder.

    Args:
        pairs: as `measure` gives them.
        names: of encoders.

    Returns:
        Encoder to `gap_closed`, `style_over_random` (where random weights are among them),
        `unseen_over_real`, `content` and `seconds`, each [median, worst].
    """
    found = {}
    for name in names:
        columns = {
            "gap_closed": [gap_closed(pair, name) for pair in pairs],
            "style_over_random": [
                pair[name]["style"] / pair["random"]["style"] for pair in pairs if "random" in pair
            ],
            "unseen_over_real": [pair[name]["unseen"] / pair["real"]["unseen"] for pair in pairs],
            "content": [pair[name]["content"] for pair in pairs],
            "seconds": [pair[name]["seconds"] for pair in pairs],
        }
        found[name] = {
            key: [median(values), (min if key == "gap_closed" else max)(values)]
            for key, values in columns.items()
            if values
        }
    return found


def table(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown: the summary, then the losses of each pair."""
    found, pairs = figures["summary"], figures["pairs"]
    heads = [LABELS[name] for name in found]
    lines = {
        "gap_closed": ("style gap closed", "{:.1%}"),
        "style_over_random": ("style loss over that of random weights", "{:.3f}"),
        "unseen_over_real": ("style loss at unseen layers over VGG-19's", "{:.2f}"),
        "content": (f"content loss at {CONTENT_LAYER}", "{:.3f}"),
        "seconds": ("seconds for a run", "{:.0f}"),
    }
    rows = [["median (worst)", *heads, "to reach"]]
    for (key, (label, form)), wanted in zip(lines.items(), TO_REACH, strict=True):
        cells = [_median_and_worst(values.get(key), form) for values in found.values()]
        rows.append([label, *cells, wanted])
    losses = [["style loss (gap closed)", "photograph", *heads]]
    others = [["style at unseen layers, content", "photograph", *heads]]
    for pair in pairs:
        label, start = f"{pair['photograph']} × {pair['painting']}", pair["start"]
        cells = [f"{pair[name]['style']:.4g} ({gap_closed(pair, name):.1%})" for name in found]
        losses.append([label, f"{start['style']:.4g}", *cells])
        cells = [f"{pair[name]['unseen']:.4g}, {pair[name]['content']:.3f}" for name in found]
        others.append([label, f"{start['unseen']:.4g}, {start['content']:.3f}", *cells])
    return "\n\n".join(markdown(each) for each in (rows, losses, others))


def _median_and_worst(values: Sequence[float] | None, form: str) -> str:
    return f"{form.format(values[0])} ({form.format(values[1])})" if values else ""
