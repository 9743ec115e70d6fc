"""Settings: checked when made, frozen, and the same after a trip through JSON."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from nstlab.settings import Settings

pytestmark = pytest.mark.usefixtures("unchecked_types")


def test_settings_survive_json() -> None:
    settings = Settings(size=99, style_layers=("relu1_1",), style_layer_weights=(2,), start="noise")
    assert Settings.from_data(json.loads(json.dumps(settings.as_data()))) == settings
    assert hash(settings) == hash(settings.change())


def test_settings_hold_no_path_once_they_are_data() -> None:
    settings = Settings(encoder="/somewhere/vgg.safetensors", weights="/else/where.pth")
    data = settings.as_data()
    assert (data["encoder"], data["weights"]) == ("vgg.safetensors", "where.pth")
    assert "/" not in json.dumps(data)


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().size = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_layer_weights_are_shares_in_relative_and_plain_numbers_elsewhere() -> None:
    given = Settings(style_layers=("a", "b"), style_layer_weights=(1, 3))
    assert given.layer_weights("style") == {"a": 0.25, "b": 0.75}
    assert given.change(normalization="gatys").layer_weights("style") == {"a": 1, "b": 3}
    equal = Settings(style_layers=("a", "b", "c", "d"), normalization="gatys")
    assert equal.layer_weights("style") == dict.fromkeys("abcd", 0.25)
    assert Settings().layer_weights("content") == {"relu4_2": 1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sise": 5}, "no setting 'sise'.*did you mean 'size'"),
        ({"size": 8}, "size is 8; it must be at least 16"),
        ({"steps": 0}, "steps is 0"),
        ({"style_weight": -1.0}, "style_weight is -1.0"),
        ({"content_weight": float("nan")}, "content_weight is nan"),
        ({"variation_weight": float("inf")}, "variation_weight is inf"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**63}, "2\\*\\*63"),
        ({"style_blend": (1.0, -1.0)}, "style_blend is"),
        ({"style_blend": (0.0,)}, "all of them zero"),
        ({"style_scale": 0.0}, "style_scale is 0.0"),
        ({"pooling": "median"}, "pooling is 'median'; it can be max, average, l2"),
        ({"start": "nowhere"}, "start is 'nowhere'.*smooth_noise"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'"),
        ({"style_fit": "stretch"}, "style_fit is 'stretch'"),
        ({"normalization": "none"}, "unknown normalisation 'none'.*relative"),
        ({"style_layers": ()}, "style_layers is empty"),
        ({"content_layers": ("a", "a")}, "names a layer twice: a, a"),
        ({"style_layer_weights": (1.0,)}, "1 numbers for 5 layers"),
        ({"content_layer_weights": (-1.0,)}, "negative"),
        ({"content_layer_weights": (0.0,)}, "all of them zero"),
    ],
)
def test_mistakes_are_named(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings().change(**wrong)


def test_a_single_layer_is_not_a_string() -> None:
    with pytest.raises(TypeError, match=r"for one layer write \('relu4_2',\)"):
        Settings(content_layers="relu4_2")  # pyright: ignore[reportArgumentType]


def test_numbers_of_numpy_become_pythons() -> None:
    settings = Settings().change(size=np.int64(64), steps=np.int32(3), style_weight=np.float32(2))
    json.dumps(settings.as_data())
    assert (type(settings.size), type(settings.style_weight)) == (int, float)
    assert type(Settings(style_weight=3).style_weight) is float
    for wrong in ({"size": 64.0}, {"steps": "5"}, {"style_weight": "much"}):
        with pytest.raises(TypeError, match=r"it must be a (whole )?number"):
            Settings().change(**wrong)
