"""Published weights in our normalisation."""

import pytest

from nstlab import Encoder, Settings, load_encoder, stylize, variation_loss
from nstlab.losses import NORMALIZATIONS, Normalization
from nstlab.objective import Objective
from nstlab.published import PIXELS_255, SUM_255, Published
from nstlab.transfer import stylize_job

PAIR = ("china", "swirls_1")
SMALL = Settings(
    size=64,
    steps=3,
    content_layers=("relu2_2",),
    style_layers=("relu1_1", "relu2_1"),
    range_weight=0.0,
    precision="float32",
)
SLIDES = Published(
    normalization="gatys", content_weight=1, style_weight=1e4, feature_scale=PIXELS_255
)


@pytest.fixture(scope="module")
def lite() -> Encoder:
    return load_encoder("lite")


@pytest.fixture(scope="module")
def vgg() -> Encoder:
    return load_encoder("vgg11", weights="random")


def shares(settings: Settings, encoder: Encoder, k: float = 1.0) -> dict[str, float]:
    """Weighted losses at a start from noise over the content's, with features k times as large."""
    job = stylize_job(*PAIR, settings.change(start="noise"), {"encoder": encoder})
    losses, _ = Objective(job.encoder, job.terms).value_and_grad(job.image)
    grows = {"style": k**4, "content": k**2}
    weighted = {
        term.name: losses[term.name].item() * grows.get(term.name, 1) * float(term.weight)
        for term in job.terms
    }
    return {name: value / weighted["content"] for name, value in weighted.items()}


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_lite_starts_with_the_ratio_that_the_printed_weights_give(
    lite: Encoder, normalization: Normalization
) -> None:
    printed = Published(normalization=normalization, content_weight=1e5, style_weight=30.0)
    found = printed.settings(SMALL, *PAIR, encoder=lite)
    there = SMALL.change(normalization=normalization, content_weight=1e5, style_weight=30.0)
    assert shares(found, lite)["style"] == pytest.approx(shares(there, lite)["style"], rel=1e-3)
    assert (found.normalization, found.content_weight) == ("relative", SMALL.content_weight)
    assert found.variation_weight == SMALL.variation_weight


def test_larger_features_give_style_more_weight(lite: Encoder) -> None:
    there = SMALL.change(normalization="gatys", content_weight=1.0, style_weight=1e4)
    found = SLIDES.settings(SMALL, *PAIR, encoder=lite)
    wanted = shares(there, lite, k=PIXELS_255)["style"]
    assert shares(found, lite)["style"] == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("own", ["lite", "vgg"])
def test_variation_is_converted_from_a_sum_over_bytes(
    own: str, request: pytest.FixtureRequest
) -> None:
    encoder = request.getfixturevalue(own)
    layers = {"content_layers": ("relu2_1",), "style_layers": ("relu1_1", "relu2_1")}
    base = SMALL.change(**layers)
    printed = SLIDES.change(variation_weight=2.0, feature_scale=1.0)
    found = printed.settings(base, *PAIR, encoder=encoder)
    image = stylize_job(*PAIR, base.change(start="noise"), {"encoder": encoder}).image * 255
    corner = image[..., :-1, :-1]
    across, down = image[..., :-1, 1:] - corner, image[..., 1:, :-1] - corner
    summed = (across.square() + down.square()).pow(1.25).sum().item()
    assert variation_loss(image / 255).item() * SUM_255 * 63 * (image.shape[2] - 1) == (
        pytest.approx(summed, rel=1e-4)
    )
    there = shares(base.change(normalization="gatys"), encoder)
    job = stylize_job(
        *PAIR, base.change(normalization="gatys", start="noise"), {"encoder": encoder}
    )
    losses, _ = Objective(job.encoder, job.terms).value_and_grad(job.image)
    assert there["content"] == 1
    assert shares(found, encoder)["variation"] == pytest.approx(
        2.0 * summed / losses["content"].item(), rel=1e-3
    )


def test_another_network_takes_the_weights_as_they_are(vgg: Encoder) -> None:
    base = SMALL.change(content_layers=("relu2_1",), range_weight=10.0)
    printed = Published(normalization="fastai", content_weight=1e5, style_weight=3.0)
    found = printed.settings(base, *PAIR, encoder=vgg)
    assert (found.normalization, found.content_weight, found.style_weight) == ("fastai", 1e5, 3.0)
    assert found.range_weight == 1e6
    scaled = printed.change(feature_scale=2.0).settings(base, *PAIR, encoder=vgg)
    assert scaled.style_weight == 12.0


def test_ratios_within_a_sweep_are_kept_and_the_start_does_not_matter(lite: Encoder) -> None:
    weights = [
        SLIDES.change(style_weight=each)
        .settings(SMALL.change(start=start), *PAIR, encoder=lite)
        .style_weight
        for each, start in ((1e2, "noise"), (1e4, "content"))
    ]
    assert weights[1] / weights[0] == pytest.approx(100, rel=1e-6)


def test_converted_settings_can_be_run(lite: Encoder) -> None:
    found = SLIDES.settings(SMALL.change(steps=12), *PAIR, encoder=lite)
    run = stylize(*PAIR, found, encoder=lite)
    assert run.curve()[-1] < run.curve()[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"style_weight": 0.0}, "style_weight is 0.0; it must be above 0"),
        ({"content_weight": -1.0}, "content_weight is -1.0"),
        ({"feature_scale": float("inf")}, "feature_scale is inf"),
        ({"variation_weight": -2.0}, "variation_weight is -2.0; it must be from 0 up"),
    ],
)
def test_weights_that_cannot_be(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match="^" + words):
        SLIDES.change(**changes)


def test_no_content_weight_gives_nothing_to_compare_with(lite: Encoder) -> None:
    with pytest.raises(ValueError, match=r"content_weight is 0"):
        SLIDES.settings(SMALL.change(content_weight=0.0), *PAIR, encoder=lite)
