"""Outputs of named layers of any module, with nothing left behind."""

import pytest
import torch
from torch import nn

from nstlab.hooks import record, unknown_layer
from nstlab.runtime import generator


def like_torchvision() -> nn.Sequential:
    """Convolution, in-place ReLU, pooling, twice, as torchvision's `features`."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def picture() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=generator(3))


def test_equals_running_the_first_layers_alone():
    model, image = like_torchvision().requires_grad_(False), picture()
    with record(model, ["0", "1", "2", "3", "4"]) as seen:
        model(image)
    features = image
    for name, layer in model.named_children():
        features = (nn.ReLU() if isinstance(layer, nn.ReLU) else layer)(features)
        assert torch.equal(seen[name], features), name
    assert list(seen) == ["0", "1", "2", "3", "4"]


def test_a_relu_in_place_does_not_rectify_what_was_kept():
    model, image = like_torchvision().requires_grad_(False), picture()
    kept = {}
    handle = model[0].register_forward_hook(lambda _m, _i, out: kept.update(conv=out))
    model(image)
    handle.remove()
    assert kept["conv"].min() == 0  # the trap: a plain hook sees the ReLU's output
    with record(model, ["0"]) as seen:
        model(image)
    assert seen["0"].min() < 0
    assert model[1].inplace and model[4].inplace  # given back as it was


def test_gradients_flow_through_what_was_kept():
    model, image = like_torchvision(), picture().requires_grad_()
    with record(model, ["3"]) as seen:
        model(image)
    (gradient,) = torch.autograd.grad(seen["3"].square().sum(), image)
    direct = model[3](model[2](torch.relu(model[0](image))))
    (expected,) = torch.autograd.grad(direct.square().sum(), image)
    assert torch.allclose(gradient, expected, atol=1e-6, rtol=0)


def test_no_hook_is_left_after_the_block():
    model = like_torchvision()
    with record(model, ["0", "4"]) as seen:
        assert hooks(model) == 2
        model(picture())
    assert hooks(model) == 0
    model(torch.zeros(1, 3, 8, 8))
    assert seen["0"].shape == (2, 4, 8, 8)  # a later pass is not recorded


def test_no_hook_is_left_after_an_error_in_the_block():
    model = like_torchvision()
    with pytest.raises(ZeroDivisionError), record(model, ["0"]):
        _ = 1 / 0
    assert hooks(model) == 0
    assert model[1].inplace


def test_no_hook_is_left_after_an_unknown_layer():
    model = like_torchvision()
    with pytest.raises(ValueError, match="no layer '7'; this network has: 0, 1, 2, 3, 4"):
        record(model, ["0", "7"]).__enter__()
    assert hooks(model) == 0


def test_each_pass_replaces_the_one_before():
    model = like_torchvision()
    with record(model, ["2"]) as seen:
        model(torch.zeros(1, 3, 8, 8))
        model(torch.zeros(1, 3, 16, 16))
    assert seen["2"].shape == (1, 4, 8, 8)


def test_two_blocks_at_once_do_not_disturb_each_other():
    model, image = like_torchvision(), picture()
    with record(model, ["0"]) as outer:
        with record(model, ["0"]) as inner:
            model(image)
        assert hooks(model) == 1
        assert torch.equal(outer["0"], inner["0"])
        model(image)
        assert outer["0"].min() < 0
    assert hooks(model) == 0
    assert model[1].inplace and model[4].inplace


def test_layers_inside_layers_have_dotted_names():
    model = nn.ModuleDict({"features": like_torchvision()})
    with record(model, ["features.3"]) as seen:
        model["features"](picture())
    assert seen["features.3"].shape == (2, 5, 4, 4)


def test_the_same_features_as_the_encoder(tiny_encoder, photo):
    layers = ["conv1_1", "relu1_1", "pool2", "conv4_2", "relu5_1"]
    with record(tiny_encoder, layers) as seen:
        features = tiny_encoder(photo, layers)
    assert list(seen) == layers
    for name in layers:
        assert torch.equal(seen[name], features[name]), name
    assert hooks(tiny_encoder) == 0


def test_a_single_string_is_not_a_list_of_layers():
    with pytest.raises(TypeError, match=r"for one layer write \['0'\]"):
        record(like_torchvision(), "0").__enter__()


def test_a_layer_that_puts_out_no_tensor_is_named():
    model = nn.Sequential(nn.LSTM(3, 4))
    with pytest.raises(TypeError, match="'0' puts out a tuple, not a tensor"), record(model, ["0"]):
        model(torch.rand(2, 3))
    assert hooks(model) == 0


def test_message_gives_the_nearest_name_and_all():
    message = unknown_layer("relu42", ["conv1_1", "relu4_2"])
    assert message == (
        "no layer 'relu42' (did you mean 'relu4_2'?); this network has: conv1_1, relu4_2"
    )
    assert "did you mean" not in unknown_layer("head", ["conv1_1", "relu4_2"])


def test_what_a_function_does_in_place_does_not_reach_the_record():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, image):
            out = self.conv(image)
            out += 10
            return nn.functional.relu(out, inplace=True)

    net, image = Residual(), torch.rand(1, 3, 8, 8, requires_grad=True)
    with record(net, ["conv"]) as seen:
        out = net(image)
    assert torch.allclose(seen["conv"], net.conv(image))
    assert out.min() > 5
    seen["conv"].sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
