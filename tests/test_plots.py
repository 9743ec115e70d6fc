import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from nstlab.encoders import Encoder
from nstlab.gram import gram_matrix
from nstlab.images import PictureError
from nstlab.plots import (
    draw_growing_curve,
    plot_distances,
    plot_gram,
    plot_losses,
    plot_training,
    show_channel,
    show_feature_maps,
    show_pictures,
    strongest_patches,
)
from nstlab.plots.style import pixels
from nstlab.runs import Run

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"


def a_run(scale: float = 1.0, weights: dict | None = None) -> Run:
    """Three steps in six seconds; total = 2 content + 3 style."""
    content = torch.tensor([[0.0], [2.0], [1.0], [0.5]])
    style = torch.tensor([[9.0], [3.0], [1.0], [0.1]]) * scale
    losses = {"content": content, "style": style, "total": 2 * content + 3 * style}
    weights = {"content_weight": 2.0, "style_weight": 3.0} if weights is None else weights
    return Run(torch.zeros(1, 3, 4, 4), losses, seconds=6.0, recipe={"settings": weights})


def picture(height: int, width: int, value: float = 0.5) -> Tensor:
    return torch.full((1, 3, height, width), value)


def boxes(figure: Figure) -> np.ndarray:
    """Left, bottom, width, height of each axes in inches."""
    size = figure.get_size_inches()
    return np.array([each.get_position().bounds for each in figure.axes]) * [*size, *size]


def test_pictures_of_any_shape_stand_in_rows_of_one_height():
    shapes = [(40, 60), (60, 40), (50, 50), (30, 90), (64, 64)]
    figure = show_pictures([picture(*each) for each in shapes], columns=3)
    found = boxes(figure)
    assert np.ptp(found[:, 3]) < 1e-9
    assert np.allclose(found[:, 2] / found[:, 3], [w / h for h, w in shapes])
    assert np.allclose(found[:3, 1], found[0, 1])
    assert found[3, 1] < found[0, 1]
    assert figure.get_size_inches()[0] <= 9.0 + 1e-9
    for a, b in ((0, 1), (1, 2), (3, 4)):
        assert found[a, 0] + found[a, 2] < found[b, 0]


def test_pixels_come_through():
    figure = show_pictures([picture(30, 40, 0.25), picture(30, 40, 0.75)])
    shown = pixels(figure)
    height, width = shown.shape[1:]
    assert shown[:, height // 2, width // 4].tolist() == [64] * 3
    assert shown[:, height // 2, 3 * width // 4].tolist() == [191] * 3


def test_batches_frames_and_single_pictures_are_taken():
    assert len(show_pictures(torch.rand(5, 3, 8, 8)).axes) == 5
    frame = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    assert (
        len(show_pictures([frame, frame[0], torch.rand(3, 8, 8), torch.rand(2, 3, 8, 8)]).axes) == 5
    )


def test_titles_are_broken_and_find_room():
    plain = show_pictures([picture(30, 40)] * 4)
    titled = show_pictures([picture(30, 40)] * 4, ["a", "b", "c", "a long title " * 5])
    texts = [axes.get_title() for axes in titled.axes]
    assert texts[:3] == ["a", "b", "c"]
    assert texts[3].count("\n") >= 1
    assert " ".join(texts[3].split()) == ("a long title " * 5).strip()
    assert titled.get_size_inches()[1] > plain.get_size_inches()[1] + 0.3
    titled.canvas.draw()
    for axes in titled.axes:
        extent = axes.title.get_window_extent()
        assert 0 <= extent.y1 <= titled.bbox.height
        assert extent.x0 >= -1 and extent.x1 <= titled.bbox.width + 1


def test_one_tall_picture_does_not_fill_pages():
    width, height = show_pictures([picture(90, 30)]).get_size_inches()
    assert height <= 4.5 + 1e-9
    assert width < 9.0


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ValueError, match="no picture to show"):
        show_pictures([])
    with pytest.raises(ValueError, match="2 pictures and 1 titles"):
        show_pictures([picture(8, 8)] * 2, ["a"])
    with pytest.raises(ValueError, match="columns is 0"):
        show_pictures([picture(8, 8)], columns=0)
    with pytest.raises(PictureError, match=r"got shape \(1, 1, 8, 8\)"):
        show_pictures([torch.zeros(1, 1, 8, 8)])
    with pytest.raises(PictureError, match=r"got torch.int64"):
        show_pictures([torch.zeros(1, 3, 8, 8, dtype=torch.int64)])


def test_notebooks_keep_photographs_as_jpeg_and_lines_as_png():
    photographs = show_pictures([picture(8, 8)])
    assert photographs._repr_jpeg_().startswith(JPEG)
    assert photographs._repr_png_() is None
    assert plot_losses(a_run())._repr_png_().startswith(PNG)


def lines(figure: Figure) -> dict[str, list[float]]:
    return {
        str(line.get_label()): np.asarray(line.get_ydata()).tolist()
        for line in figure.axes[0].get_lines()
    }


def test_losses_of_one_run_are_drawn_as_they_were_recorded():
    figure = plot_losses(a_run())
    drawn = lines(figure)
    assert list(drawn) == ["content", "style", "total"]
    assert drawn["style"] == pytest.approx([9, 3, 1, 0.1])
    assert np.isnan(drawn["content"][0])
    assert drawn["content"][1:] == pytest.approx([2, 1, 0.5])
    assert figure.axes[0].get_yscale() == "log"
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [each.get_text() for each in legend.get_texts()] == list(drawn)


def test_weighted_terms_add_up_to_the_total():
    drawn = lines(plot_losses(a_run(), weighted=True))
    sums = [a + b for a, b in zip(drawn["content"][1:], drawn["style"][1:], strict=True)]
    assert sums == pytest.approx(drawn["total"][1:])


def test_runs_are_compared_by_their_total():
    figure = plot_losses({"few": a_run(), "many": a_run(2.0)})
    drawn = lines(figure)
    assert list(drawn) == ["few", "many"]
    assert drawn["few"] == pytest.approx([27, 13, 5, 1.3])
    colours = [line.get_color() for line in figure.axes[0].get_lines()]
    assert colours[0] != colours[1]
    both = plot_losses({"few": a_run(), "many": a_run(2.0)}, ["content", "style"])
    assert list(lines(both)) == ["few, content", "few, style", "many, content", "many, style"]


def test_seconds_are_shared_among_the_steps():
    line = plot_losses(a_run(), ["style"], against="seconds").axes[0].get_lines()[0]
    assert np.asarray(line.get_xdata()).tolist() == pytest.approx([0, 2, 4, 6])


def test_a_term_has_the_same_colour_in_every_figure():
    def colour(figure: Figure, term: str) -> object:
        return next(a.get_color() for a in figure.axes[0].get_lines() if a.get_label() == term)

    assert colour(plot_losses(a_run()), "style") == colour(plot_losses(a_run(), ["style"]), "style")


def test_losses_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="no term 'flavour'"):
        plot_losses(a_run(), ["flavour"])
    with pytest.raises(ValueError, match="no run to show"):
        plot_losses({})
    with pytest.raises(ValueError, match="does not know the weight of 'content'"):
        plot_losses(a_run(weights={}), weighted=True)


def test_a_growing_curve_grows():
    losses = [100.0, 10.0, 1.0, 0.1]
    frames = [draw_growing_curve(losses, step, 240) for step in range(4)]
    assert {tuple(frame.shape) for frame in frames} == {(3, 240, 216)}
    orange = [int(((frame[0] > 180) & (frame[2] < 90)).sum()) for frame in frames]
    assert orange == sorted(orange)
    assert len(set(orange)) == 4


def test_a_curve_without_positive_values_can_be_drawn():
    assert draw_growing_curve([0.0, 0.0], 1, 200).shape == (3, 200, 180)


def test_a_gram_matrix_is_drawn_with_its_own_values():
    gram = gram_matrix(torch.rand(1, 6, 8, 8))
    figure = plot_gram(gram, "relu2_1")
    assert np.allclose(np.asarray(figure.axes[0].images[0].get_array()), gram[0])
    assert figure.axes[0].get_title() == "relu2_1"
    pixels(figure)


def test_a_gram_matrix_with_negative_entries_has_white_at_zero():
    gram = torch.tensor([[4.0, -1.0], [-1.0, 2.0]])
    figure = plot_gram(gram)
    pixels(figure)
    assert figure.axes[0].images[0].get_clim() == pytest.approx((-4, 4))
    with pytest.raises(ValueError, match="one Gram matrix"):
        plot_gram(torch.zeros(2, 3, 3))


def test_a_gram_matrix_of_zeros_can_be_drawn():
    assert pixels(plot_gram(torch.zeros(4, 4))).shape[0] == 3


def test_feature_maps_are_each_stretched_to_white():
    features = torch.rand(1, 5, 20, 30) * torch.tensor([1, 10, 100, 1000, 0])[:, None, None]
    figure = show_feature_maps(features, [0, 3, 4], columns=2)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["0", "3", "4", ""]
    limits = [axes.images[0].get_clim()[1] for axes in figure.axes[:2]]
    assert limits == pytest.approx([float(features[0, k].quantile(0.995)) for k in (0, 3)])
    pixels(figure)
    assert len(show_feature_maps(torch.rand(1, 20, 4, 4)).axes) == 16
    assert len(show_feature_maps(torch.rand(1, 3, 4, 4)).axes) == 8
    with pytest.raises(ValueError, match="no channel 5"):
        show_feature_maps(features, [5])
    with pytest.raises(ValueError, match="channels is empty"):
        show_feature_maps(features, [])


@pytest.fixture
def bright() -> Encoder:
    """AlexNet's layers, of which channel 0 of the first answers to brightness where it looks."""
    from nstlab.fitting import random_weights

    weights = random_weights("alexnet", seed=0, widths=(2, 2, 2, 2, 2))
    encoder = Encoder("alexnet", weights)
    first = encoder.get_submodule("conv1")
    assert isinstance(first, nn.Conv2d)
    first.weight.zero_()
    first.weight[0, :, 5, 5] = 1.0
    return encoder


def test_the_strongest_patches_are_where_the_channel_answers(bright: Encoder):
    dark = torch.zeros(1, 3, 63, 63)
    dots = dark.clone()
    dots[..., 23, 31] = 1.0  # centres of outputs lie at 3 + 4 k
    dots[..., 43, 15] = 0.5
    patches = strongest_patches(bright, [dark, dots], "relu1", 0, count=2)
    assert [patch.picture for patch in patches] == [1, 1]
    assert [(patch.top, patch.left) for patch in patches] == [(18, 26), (38, 10)]
    assert patches[0].value > patches[1].value
    for patch, value in zip(patches, (1.0, 0.5), strict=True):
        assert patch.image.shape == (1, 3, 11, 11)
        assert patch.image[0, :, 5, 5].tolist() == [value] * 3


def test_patches_keep_apart_and_inside(tiny_encoder: Encoder, photo: Tensor):
    patches = strongest_patches(tiny_encoder, [photo], "relu2_1", 1, count=200)
    side = tiny_encoder.receptive_field("relu2_1")
    values = [patch.value for patch in patches]
    assert values == sorted(values, reverse=True)
    assert 4 < len(patches) < 200
    for a in range(len(patches)):
        assert 0 <= patches[a].top <= 48 - side
        assert 0 <= patches[a].left <= 64 - side
        for b in range(a):
            gap = max(abs(patches[a].top - patches[b].top), abs(patches[a].left - patches[b].left))
            assert gap >= side / 2


def test_a_field_larger_than_the_picture_gives_what_there_is(tiny_encoder: Encoder, photo: Tensor):
    patches = strongest_patches(tiny_encoder, [photo], "relu4_1", 0, count=1)
    assert patches[0].image.shape == (1, 3, 48, 48)


def test_a_channel_is_shown_with_its_patches(tiny_encoder: Encoder, photo: Tensor):
    figure = show_channel(tiny_encoder, [photo, photo.flip(3)], "relu2_1", 2, patches=6)
    assert len(figure.axes) == 1 + 6
    found = boxes(figure)
    assert found[0, 2] / found[0, 3] == pytest.approx(64 / 48)
    assert np.allclose(found[1:, 2], found[1:, 3])
    assert found[:, 0].min() >= -1e-9
    assert (found[:, 0] + found[:, 2]).max() == pytest.approx(9.0)
    assert found[1, 1] + found[1, 3] == pytest.approx(found[0, 3])
    assert found[-1, 1] == pytest.approx(0.0, abs=1e-9)
    pixels(figure)
    with pytest.raises(ValueError, match="no channel 99 in relu2_1"):
        show_channel(tiny_encoder, photo, "relu2_1", 99)
    with pytest.raises(ValueError, match="patches is 0"):
        show_channel(tiny_encoder, photo, "relu2_1", 0, patches=0)
    with pytest.raises(ValueError, match="no picture to look at"):
        show_channel(tiny_encoder, [], "relu2_1", 0)
    tiny_encoder.get_parameter("conv2_1.bias").data[0] = -1e6
    with pytest.raises(ValueError, match="channel 0 of relu2_1 answers nowhere in the 1 picture"):
        show_channel(tiny_encoder, photo, "relu2_1", 0)


def dots(axes: Axes) -> np.ndarray:
    """Of the first line in two rows, across and up."""
    line = axes.get_lines()[0]
    return np.stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())])


def test_each_pair_of_pictures_is_a_dot():
    teacher, student = torch.tensor([1.0, 10.0, 100.0]), torch.tensor([3.0, 20.0, 500.0])
    names = ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]
    figure = plot_distances(dict.fromkeys(names, (teacher, student)), labels=("by it", "by us"))
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == names
    for axes in panels:
        assert dots(axes).tolist() == [teacher.tolist(), student.tolist()]
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [axes.get_ylabel() for axes in panels] == ["by us", "", "", "by us"]
    assert [axes.get_xlabel() for axes in panels] == ["", "by it", "by it", "by it"]
    assert boxes(figure)[3, 1] < boxes(figure)[0, 1]
    pixels(figure)


def test_pairs_without_distance_are_left_out():
    panel = (torch.tensor([0.0, 2.0, 4.0]), torch.tensor([1.0, 0.0, 8.0]))
    assert dots(plot_distances({"": panel}).axes[0]).tolist() == [[4.0], [8.0]]


def test_distances_that_cannot_be_drawn_are_refused():
    zeros = torch.zeros(3)
    with pytest.raises(ValueError, match="no distances to show"):
        plot_distances({})
    with pytest.raises(ValueError, match="columns is 0"):
        plot_distances({"a": (zeros, zeros)}, columns=0)
    with pytest.raises(ValueError, match="'a' has 3 distances across and 2 up"):
        plot_distances({"a": (zeros, zeros[:2])})
    with pytest.raises(ValueError, match="'a' has no pair"):
        plot_distances({"a": (zeros, zeros)})


def a_training(agreement: bool = True) -> dict[str, object]:
    """Four steps; the errors of relu2_1 are ten times those of relu1_1."""
    errors = {"relu1_1": [4.0, 2.0, 2.0, 1.0], "relu1_1 gram": [8.0, 4.0, 4.0, 2.0]}
    errors |= {name.replace("1_1", "2_1"): [10 * e for e in v] for name, v in errors.items()}
    found = {"relu1_1": 0.5, "relu1_1 normed": 0.1, "relu2_1": 0.4, "relu2_1 normed": 0.2}
    better = {name: value + 0.3 for name, value in found.items()}
    measured = {0: found, 4: better} if agreement else {0: {}, 4: {}}
    return {"errors": errors, "agreement": measured}


def test_a_training_is_drawn_as_it_was_recorded():
    figure = plot_training(a_training(), smooth=2)
    features, distances, agreement = figure.axes
    assert [np.asarray(line.get_ydata()).tolist() for line in features.get_lines()] == [
        pytest.approx([3, 2, 1.5]),
        pytest.approx([30, 20, 15]),
    ]
    assert np.asarray(features.get_lines()[0].get_xdata()).tolist() == [2, 3, 4]
    assert np.asarray(distances.get_lines()[0].get_ydata()).tolist() == pytest.approx([6, 4, 3])
    drawn = agreement.get_lines()[:2]
    assert [np.asarray(line.get_ydata()).tolist() for line in drawn] == [
        pytest.approx([0.5, 0.8]),
        pytest.approx([0.4, 0.7]),
    ]
    assert np.asarray(drawn[0].get_xdata()).tolist() == [0, 4]
    for axes in figure.axes:
        colours = [line.get_color() for line in axes.get_lines()[:2]]
        assert colours == [line.get_color() for line in features.get_lines()]
    legend = agreement.get_legend()
    assert legend is not None
    assert [each.get_text() for each in legend.get_texts()] == ["relu1_1", "relu2_1"]
    pixels(figure)


def test_a_record_read_from_a_file_gives_the_same_curves():
    record = a_training()
    again = plot_training(json.loads(json.dumps(record)))
    for ours, theirs in zip(plot_training(record).axes, again.axes, strict=True):
        for a, b in zip(ours.get_lines(), theirs.get_lines(), strict=True):
            assert np.array_equal(np.asarray(a.get_xdata()), np.asarray(b.get_xdata()))
            assert np.array_equal(np.asarray(a.get_ydata()), np.asarray(b.get_ydata()))


def test_a_training_without_pictures_held_out_has_no_agreement():
    figure = plot_training(a_training(agreement=False), smooth=100)
    assert len(figure.axes) == 2
    assert dots(figure.axes[0]).tolist() == [[4.0], [pytest.approx(2.25)]]
    pixels(figure)
    with pytest.raises(ValueError, match="no step"):
        plot_training({"errors": {}, "agreement": {}})
    with pytest.raises(ValueError, match="smooth is 0"):
        plot_training(a_training(), smooth=0)


def test_the_package_does_not_import_matplotlib_nor_the_plots_pyplot():
    code = (
        "import sys, nstlab; assert 'matplotlib' not in sys.modules; "
        "import nstlab.plots; assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
