import pytest
import torch
from torch import Tensor, nn

from nstlab.encoders import Encoder
from nstlab.plots.choice import selective_channels


@pytest.fixture
def three_channels(tiny_encoder: Encoder) -> Encoder:
    """`conv1_1` answers to brightness (0), to nothing (1), to steps from dark to bright (2)."""
    first = tiny_encoder.get_submodule("conv1_1")
    assert isinstance(first, nn.Conv2d) and first.bias is not None
    first.weight.zero_()
    first.bias.zero_()
    first.weight[0, :, 1, 1] = 1.0
    first.weight[2, :, 1, 1], first.weight[2, :, 1, 0] = 1.0, -1.0
    return tiny_encoder


def test_the_channel_for_a_rare_thing_comes_first(three_channels: Encoder):
    steps = torch.ones(2, 3, 24, 24)
    steps[0, ..., :12], steps[1, ..., :6] = 0.9, 0.8
    pictures = list(steps.split(1))
    assert selective_channels(three_channels, pictures, "relu1_1")[0] == 2
    assert selective_channels(three_channels, pictures, "relu1_1", count=1) == [2]


def test_silent_channels_are_left_out(three_channels: Encoder, photo: Tensor):
    found = selective_channels(three_channels, [photo], "relu1_1", count=99)
    assert sorted(found) == [0, 2]


def test_what_cannot_be_looked_at_is_refused(tiny_encoder: Encoder, photo: Tensor):
    with pytest.raises(ValueError, match="no picture to look at"):
        selective_channels(tiny_encoder, [], "relu1_1")
    with pytest.raises(ValueError, match="no layer 'relu1_9'"):
        selective_channels(tiny_encoder, [photo], "relu1_9")
