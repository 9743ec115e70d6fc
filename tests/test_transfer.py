"""The three kinds of run on small pictures with the bundled encoder."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from nstlab.encoders import load_encoder
from nstlab.gram import gram_matrix
from nstlab.images import resize, save_picture
from nstlab.losses import NORMALIZATIONS, Normalization
from nstlab.objective import blend_grams, style_term
from nstlab.samples import load_picture
from nstlab.settings import Settings, Start
from nstlab.transfer import invert, stylize, synthesize_texture

SMALL = Settings(size=64, steps=8)


@pytest.fixture(scope="module")
def lite() -> torch.nn.Module:
    return load_encoder("lite")


def test_stylize_moves_the_style_and_keeps_the_shape(lite) -> None:
    run = stylize("china", "swirls_1", SMALL, encoder=lite)
    assert run.image.shape == (1, 3, 43, 64)
    assert run.curve("style")[-1] < 0.7 * run.curve("style")[0]
    assert run.curve("content")[0] == 0
    assert run.curve()[-1] < run.curve()[0]
    assert set(run.losses) == {"content", "style", "range", "total"}


def test_invert_comes_nearer_to_the_content(lite) -> None:
    settings = SMALL.change(content_layers=("relu1_1",), steps=30)
    run = invert("china", settings, encoder=lite)
    content = resize(load_picture("china"), 64)
    assert run.curve("content")[-1] < 0.05 * run.curve("content")[0]
    assert (run.image - content).abs().mean() < 0.1
    assert "style" not in run.losses


def test_a_texture_has_the_gram_matrices_of_its_style(lite) -> None:
    settings = SMALL.change(style_layers=("relu1_1", "relu2_1"), steps=40)
    run = synthesize_texture("swirls_1", settings, encoder=lite)
    assert run.curve("style")[-1] < 0.02 * run.curve("style")[0]
    style = resize(load_picture("swirls_1"), 64)
    assert run.image.shape == style.shape
    grams = [gram_matrix(lite(image, ["relu1_1"])["relu1_1"]) for image in (run.image, style)]
    assert (grams[0] - grams[1]).norm() < 0.1 * grams[1].norm()
    assert "content" not in run.losses


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_every_normalisation_goes_down(normalization: Normalization, lite) -> None:
    settings = SMALL.change(normalization=normalization, style_weight=1000)
    run = stylize("china", "swirls_1", settings, encoder=lite)
    assert min(run.curve()) < 0.8 * run.curve()[0]


def test_the_starts(lite) -> None:
    def first(start: Start, **changes: object) -> Tensor:
        seen = []
        settings = SMALL.change(start=start, steps=1, **changes)
        stylize("china", "swirls_1", settings, encoder=lite, on_step=lambda s: seen.append(s.image))
        return seen[0]

    shape = (1, 3, 43, 64)
    content = first("content")
    assert torch.equal(content, resize(load_picture("china"), 64))
    noise, smooth, style = first("noise"), first("smooth_noise"), first("style")
    for image in (noise, smooth, style):
        assert image.shape == shape
        assert not torch.equal(image, content)
    assert noise.std() == pytest.approx(12**-0.5, rel=0.05)  # uniform
    assert smooth.mean() == pytest.approx(0.25, abs=0.05)  # the median of uniform noise, halved
    assert smooth.std() < 0.3 * noise.std()
    assert torch.equal(noise, first("noise"))
    assert not torch.equal(noise, first("noise", seed=1))
    assert not torch.equal(smooth, first("smooth_noise", seed=1))


def test_an_earlier_result_is_a_start(lite) -> None:
    run = stylize("china", "swirls_1", SMALL, encoder=lite)
    more = stylize("china", "swirls_1", SMALL, encoder=lite, start_picture=run.image)
    assert more.curve()[0] == pytest.approx(min(run.curve()), rel=1e-5)
    assert more.recipe["settings"]["start"] == "picture"
    assert more.recipe["pictures"]["start"][0]["name"] == "in memory"
    with pytest.raises(ValueError, match="give start_picture"):
        stylize("china", "swirls_1", SMALL.change(start="picture"), encoder=lite)


def test_a_start_that_the_task_lacks_is_refused(lite) -> None:
    with pytest.raises(ValueError, match="invert has no style picture"):
        invert("china", SMALL.change(start="style"), encoder=lite)


def test_several_styles_are_blended(lite) -> None:
    def total(shares: tuple[float, ...] | None, *styles: str) -> float:
        settings = SMALL.change(style_blend=shares, steps=1)
        return stylize("china", styles, settings, encoder=lite).curve("style")[0]

    one, other = total(None, "swirls_1"), total(None, "swirls_2")
    assert total((1.0, 0.0), "swirls_1", "swirls_2") == pytest.approx(one, rel=1e-5)
    assert total((0.0, 2.0), "swirls_1", "swirls_2") == pytest.approx(other, rel=1e-5)
    assert total(None, "swirls_1", "swirls_2") == pytest.approx(
        total((3.0, 3.0), "swirls_1", "swirls_2"), rel=1e-5
    )
    with pytest.raises(ValueError, match="2 style pictures and 1 shares"):
        total((1.0,), "swirls_1", "swirls_2")


def test_the_style_picture_is_scaled_as_asked(lite) -> None:
    from nstlab.task import Task

    def size(**changes: object) -> tuple[int, ...]:
        task = Task("stylize", SMALL.change(**changes), {"encoder": lite})
        return tuple(task.load_style(torch.rand(1, 3, 100, 50), (43, 64)).shape[2:])

    assert size() == (64, 32)
    assert size(style_scale=0.5) == (32, 16)
    assert size(style_fit="cover") == (43, 64)
    assert size(style_fit="cover", style_scale=2.0) == (86, 128)
    assert size(style_fit="original") == (100, 50)


def test_the_same_settings_give_the_same_bits_twice(lite) -> None:
    one = stylize("china", "swirls_1", SMALL.change(start="noise"), encoder=lite)
    two = stylize("china", "swirls_1", SMALL.change(start="noise"))
    assert torch.equal(one.image, two.image)


def test_the_recipe_names_files_and_no_path(tmp_path: Path, lite) -> None:
    picture = save_picture(torch.rand(1, 3, 40, 50), tmp_path / "mine.png")
    run = stylize(picture, "swirls_1", SMALL.change(steps=1), encoder=lite)
    saved = run.save(tmp_path / "out.png")
    assert run.recipe["pictures"]["content"][0]["name"] == "mine.png"
    assert len(run.recipe["pictures"]["content"][0]["sha256"]) == 64
    assert run.recipe["encoder"]["network"] == "lite"
    assert len(run.recipe["encoder"]["sha256"]) == 64
    assert str(tmp_path).encode() not in saved.read_bytes()
    assert {"torch", "device", "threads"} <= run.machine.keys()


def test_unknown_layers_are_named_with_those_there_are(lite) -> None:
    with pytest.raises(ValueError, match=r"relu6_1.*relu5_1"):
        stylize("china", "swirls_1", SMALL.change(style_layers=("relu6_1",)), encoder=lite)


def test_bfloat16_comes_to_nearly_the_same_picture(lite) -> None:
    settings = Settings(size=96, steps=40, style_weight=10)  # at 40 last bits lead a run elsewhere
    names = list(settings.style_layers)

    def style_loss_in_float32(image: Tensor) -> float:
        grams = blend_grams([lite(resize(load_picture("swirls_1"), 96), names)])
        return style_term(grams)(lite(image, names)).item()

    full = stylize("china", "swirls_1", settings, encoder=lite)
    half = stylize("china", "swirls_1", settings.change(precision="bfloat16"), encoder=lite)
    assert full.machine["precision"] == "float32"
    assert half.machine["precision"] == "bfloat16"
    assert half.image.dtype == torch.float32
    assert half.recipe["settings"]["precision"] == "bfloat16"
    score = [style_loss_in_float32(run.image) for run in (full, half)]
    assert score[1] < 1.1 * score[0]
    assert half.curve("style")[-1] == pytest.approx(score[1], rel=0.1)


def test_part_of_vgg19_from_a_file(shared_files: Path) -> None:
    settings = Settings(
        encoder=str(shared_files / "weights" / "vgg19_to_conv3_4.safetensors"),
        content_layers=("relu3_2",),
        style_layers=("relu1_1", "relu2_1", "relu3_1"),
        size=96,
        steps=30,
        style_weight=200.0,
    )
    content, style = (
        shared_files / "images" / each
        for each in ("content/tubingen.jpg", "style/starry_night.jpg")
    )
    run = stylize(content, style, settings)
    assert run.curve("style")[-1] < 0.3 * run.curve("style")[0]
    assert run.recipe["encoder"]["network"] == "vgg19"
    with pytest.raises(ValueError, match="relu4_1"):
        stylize(content, style, settings.change(style_layers=("relu4_1",)))


def test_the_recipe_says_which_encoder_was_handed_over() -> None:
    average = load_encoder("lite", pooling="average")
    run = stylize("china", "swirls_1", SMALL.change(steps=1, pooling="average"), encoder=average)
    assert run.recipe["settings"]["pooling"] == "average"
    named = stylize("china", "swirls_1", SMALL.change(steps=1, pooling="average"))
    assert named.recipe == run.recipe
    assert torch.equal(named.image, run.image)
    with pytest.raises(ValueError, match=r"average pooling.*max pooling"):
        stylize("china", "swirls_1", SMALL, encoder=average)
    with pytest.raises(ValueError, match=r"is lite with .* ask for vgg11 with"):
        stylize("china", "swirls_1", SMALL.change(encoder="vgg11"), encoder=load_encoder("lite"))


def test_the_encoder_handed_over_stays_as_it_is(lite) -> None:
    before = {name: value.clone() for name, value in lite.state_dict().items()}
    run = stylize("china", "swirls_1", SMALL.change(steps=1), encoder=lite)
    assert run.image.device.type == "cpu"
    assert all(torch.equal(lite.state_dict()[name], value) for name, value in before.items())


@pytest.mark.usefixtures("unchecked_types")
def test_misplaced_words_are_not_swallowed(lite) -> None:
    with pytest.raises(TypeError, match=r"no option 'frame_evry' .did you mean 'frame_every'"):
        stylize("china", "swirls_1", SMALL, frame_evry=1)  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match=r"put it into Settings\(size="):
        stylize("china", "swirls_1", size=64)  # pyright: ignore[reportCallIssue]


def test_pictures_are_decoded_once(lite, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def count(source: str) -> Tensor:
        asked.append(source)
        return load_picture(source)

    monkeypatch.setattr("nstlab.stock.load_picture", count)
    stylize("china", "swirls_1", SMALL.change(steps=1), encoder=lite)
    assert asked == ["china", "swirls_1"]
