"""Encoders against torchvision's own modules, and what they say when something does not fit."""

from collections.abc import Callable

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from nstlab import encoders, layers
from nstlab.distill import agreement, gram_matrices
from nstlab.encoders import Encoder, Pooling, layer_index, layer_name, layer_names, load_encoder
from nstlab.encoders.modules import make_module
from nstlab.fitting import fit, random_weights, recognise
from nstlab.hooks import record
from nstlab.layers import Layer
from nstlab.runtime import bundled_weights_folder, generator
from nstlab.samples import catalogue, load_picture
from nstlab.weights import WeightsError, file_sha256, read_weights

TORCHVISION = [name for name in encoders.encoder_names() if name != "lite"]
KINDS = {"conv": nn.Conv2d, "bn": nn.BatchNorm2d, "relu": nn.ReLU, "pool": nn.MaxPool2d}
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def torchvision_features(name: str, *, meta: bool = False) -> nn.Sequential:
    """torchvision's own convolutions with random weights, batch norms' statistics included."""
    if meta or name == "alexnet":
        with torch.device("meta" if meta else "cpu"):
            features = models.get_model(name, weights=None).features
    else:
        letter = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}[name.removesuffix("_bn")]
        features = models.vgg.make_layers(models.vgg.cfgs[letter], name.endswith("_bn"))
    assert isinstance(features, nn.Sequential)
    if not meta:
        randomise(features)
    return features.eval().requires_grad_(False)


def randomise(features: nn.Sequential) -> None:
    random = generator(11)
    for name, tensor in (*features.named_parameters(), *features.named_buffers()):
        if tensor.ndim == 4:
            nn.init.kaiming_normal_(tensor, generator=random)
        elif tensor.is_floating_point() and name.endswith(("weight", "running_var")):
            nn.init.uniform_(tensor, 0.5, 1.5, generator=random)
        elif tensor.is_floating_point():
            nn.init.normal_(tensor, 0, 0.2, generator=random)


def full_state(features: nn.Sequential) -> dict[str, Tensor]:
    """The keys of torchvision's whole network; the classifier is a small stand-in."""
    state = {f"features.{key}": tensor for key, tensor in features.state_dict().items()}
    return {**state, "classifier.0.weight": torch.ones(4, 7), "classifier.0.bias": torch.ones(4)}


@pytest.mark.parametrize("name", TORCHVISION)
def test_tables_agree_with_torchvision(name):
    ours, theirs = layers.table(name), torchvision_features(name, meta=True)
    assert len(ours) == len(theirs)
    for layer, module in zip(ours, theirs, strict=True):
        assert isinstance(module, KINDS[layer.kind]), layer
        if isinstance(module, nn.Conv2d):
            assert module.out_channels == layer.channels, layer
        if isinstance(module, nn.Conv2d):
            geometry = (module.kernel_size[0], module.stride[0], module.padding[0])
            assert geometry == (layer.kernel, layer.stride, layer.padding), layer
        if isinstance(module, nn.MaxPool2d):
            geometry = (module.kernel_size, module.stride, module.padding)
            assert geometry == (layer.kernel, layer.stride, layer.padding), layer


def test_names_by_index_as_the_documents_count():
    vgg16_bn = {2: "relu1_1", 5: "relu1_2", 9: "relu2_1", 12: "relu2_2", 16: "relu3_1"}
    vgg16_bn |= {19: "relu3_2", 22: "relu3_3", 26: "relu4_1", 29: "relu4_2", 32: "relu4_3"}
    vgg16_bn |= {36: "relu5_1", 42: "relu5_3", 43: "pool5"}
    for index, name in vgg16_bn.items():
        assert layer_name("vgg16_bn", index) == name
        assert layer_index("vgg16_bn", name) == index
    assert layer_name("vgg19", 22) == layer_name("lite", 22) == "relu4_2"
    assert layer_names("vgg19")[: len(layer_names("lite"))] == layer_names("lite")
    assert layer_names("lite")[-1] == "relu5_1"
    assert layer_names("alexnet")[-4:] == ("relu4", "conv5", "relu5", "pool5")


def test_names_that_do_not_exist():
    with pytest.raises(ValueError, match=r"no layer 37 in vgg19; its layers are 0 to 36"):
        layer_name("vgg19", 37)
    with pytest.raises(ValueError, match="no layer -1 in vgg19"):
        layer_name("vgg19", -1)
    with pytest.raises(ValueError, match=r"'relu3_4' \(did you mean .* in vgg16; it has: conv1_1"):
        layer_index("vgg16", "relu3_4")
    with pytest.raises(ValueError, match=r"no network 'vgg17' \(did you mean 'vgg1.*there are: l"):
        layer_names("vgg17")


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn", "vgg19", "alexnet"])
def test_a_file_in_torchvisions_format_gives_torchvisions_features(name, tmp_path):
    theirs = torchvision_features(name)
    path = tmp_path / "weights.safetensors"
    save_file(full_state(theirs), path)
    encoder = load_encoder(path)
    assert encoder.name == name  # told from keys and shapes
    assert encoder.layers == layer_names(name)
    assert encoder.weights_sha256 == file_sha256(path)
    assert encoder.weights_name == "weights.safetensors"

    image = torch.rand(1, 3, 64, 72, generator=generator(2))
    ours = encoder(image, encoder.layers)
    features = (image - MEAN) / DEVIATION
    for layer, module in zip(encoder.layers, theirs, strict=True):
        features = module(features.clone())  # a copy, since torchvision's ReLU overwrites
        assert ours[layer].shape == features.shape
        difference = (ours[layer] - features).abs().max() / features.abs().max()
        assert difference < 1e-5, layer
        assert features.abs().max() > 0.1, layer  # so that the comparison says something


def test_forward_gives_only_what_was_asked_and_stops_there(tiny_encoder, photo):
    ran = []
    for name, module in tiny_encoder.named_children():
        module.register_forward_hook(lambda _m, _i, _o, name=name: ran.append(name))
    features = tiny_encoder(photo, ["relu2_1", "conv1_2"])
    assert list(features) == ["relu2_1", "conv1_2"]
    assert ran == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1", "relu2_1"]
    assert features["conv1_2"].min() < 0  # not rectified by the ReLU behind it
    assert features["relu2_1"].min() == 0


def test_takes_pictures_as_they_are():
    # A 1 x 1 view of the normalisation: an identity in the middle of the first convolution.
    weights = random_weights("vgg19", seed=0, widths=(3, 4, 4, 4, 4))
    weights["conv1_1.weight"].zero_()
    weights["conv1_1.weight"][range(3), range(3), 1, 1] = 1.0
    image = torch.rand(2, 3, 5, 6, generator=generator(0))
    features = Encoder("vgg19", weights)(image, ["conv1_1"])["conv1_1"]
    assert torch.allclose(features, (image - MEAN) / DEVIATION, atol=1e-6, rtol=0)


def test_is_frozen_but_the_picture_gets_its_gradient(tiny_encoder, photo):
    assert not tiny_encoder.training
    assert not any(parameter.requires_grad for parameter in tiny_encoder.parameters())
    assert not any(m.inplace for m in tiny_encoder.modules() if isinstance(m, nn.ReLU))
    image = photo.requires_grad_()
    tiny_encoder(image, ["relu5_1"])["relu5_1"].sum().backward()
    assert image.grad.isfinite().all() and image.grad.abs().max() > 0


def test_gradient_in_double_precision(tiny_encoder):
    encoder = tiny_encoder.to(torch.float64)
    image = torch.rand(1, 3, 4, 4, generator=generator(1), dtype=torch.float64, requires_grad=True)
    assert encoder(image, ["pool2"])["pool2"].dtype == torch.float64
    assert torch.autograd.gradcheck(lambda x: encoder(x, ["pool2"])["pool2"], image)


def test_channels_and_layers_of_each_block(tiny_encoder):
    assert tiny_encoder.layers == layer_names("vgg19")
    blocks = [tiny_encoder.channels(f"relu{block}_1") for block in range(1, 6)]
    assert blocks == [4, 5, 6, 7, 8]
    assert tiny_encoder.channels("pool4") == 7
    features = tiny_encoder(torch.rand(1, 3, 32, 32), tiny_encoder.layers)
    for name, tensor in features.items():
        assert tensor.shape[1] == tiny_encoder.channels(name)
        assert tensor.shape[2] * tiny_encoder.stride(name) == 32


def all_positive(name: str) -> Encoder:
    """Weights and biases so that every ReLU is open, and every input of a layer counts."""
    weights = random_weights(name, seed=0, widths=(2, 2, 2, 2, 2))
    positive = {key: tensor.abs() + 0.01 for key, tensor in weights.items()}
    return Encoder(name, positive, pooling="average").to(torch.float64)


def seen_by(encoder: Encoder, layer: str, side: int, shift: int) -> tuple[int, int]:
    """First and last row of a white picture that one position of a layer depends on."""
    image = torch.ones(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    features = encoder(image, [layer])[layer]
    place = features.shape[2] // 2 + shift
    (gradient,) = torch.autograd.grad(features[0, :, place, place].sum(), image)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    assert len(rows) == rows[-1] - rows[0] + 1  # no gaps
    return int(rows[0]), int(rows[-1])


@pytest.mark.parametrize(
    ("name", "layer", "field", "stride"),
    [
        ("vgg19", "conv1_1", 3, 1),
        ("vgg19", "relu1_2", 5, 1),
        ("vgg19", "pool1", 6, 2),
        ("vgg16", "relu3_3", 40, 4),
        ("vgg19", "relu3_4", 48, 4),
        ("vgg19", "relu4_1", 68, 8),
        ("vgg19", "relu5_1", 156, 16),
        ("alexnet", "relu1", 11, 4),
        ("alexnet", "pool1", 19, 8),
        ("alexnet", "relu2", 51, 8),
        ("alexnet", "conv3", 99, 16),
    ],
)
def test_receptive_field_and_stride_are_the_gradients(name, layer, field, stride):
    encoder = all_positive(name)
    assert encoder.receptive_field(layer) == field
    assert encoder.stride(layer) == stride
    side = 2 * field + 4 * stride
    first, last = seen_by(encoder, layer, side, 0)
    assert last - first + 1 == field
    assert seen_by(encoder, layer, side, 1) == (first + stride, last + stride)


@pytest.mark.parametrize("name", ["vgg19", "vgg13_bn", "alexnet"])
def test_smallest_side_is_the_smallest(name):
    encoder = Encoder(name, random_weights(name, seed=0, widths=(2, 2, 2, 2, 2)))
    for layer in encoder.layers:
        needed = encoder.smallest_side(layer)
        assert encoder(torch.rand(1, 3, needed, needed), [layer])[layer].numel() > 0
        if needed == 1:
            continue
        message = f"{needed - 1} x 99 px is too small for layer '{layer}'.*at least {needed} px"
        with pytest.raises(ValueError, match=message):
            encoder(torch.rand(1, 3, needed - 1, 99), [layer])
        features = torch.rand(1, 3, needed - 1, 99)
        with pytest.raises(RuntimeError):  # torch itself cannot either
            for before in encoder.layers[: encoder.layers.index(layer) + 1]:
                features = encoder.get_submodule(before)(features)


def test_pooling_kinds_by_hand():
    block = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    weights = random_weights("vgg19", seed=0, widths=(1, 1, 1, 1, 1))
    pooled = {}
    for kind in ("max", "average", "l2"):
        encoder = Encoder("vgg19", weights, pooling=kind)
        assert encoder.pooling == kind
        pooled[kind] = encoder.get_submodule("pool1")(block).item()
    assert pooled["max"] == 4.0
    assert pooled["average"] == 2.5
    assert pooled["l2"] == pytest.approx(((1 + 4 + 9 + 16) / 4) ** 0.5, abs=1e-6)


def test_l2_pooling_has_a_gradient_at_zero():
    zeros = torch.zeros(1, 2, 4, 4, requires_grad=True)
    pooled = encoders.L2Pool(2, 2)(zeros)
    pooled.sum().backward()
    assert pooled.abs().max() < 1e-5
    assert zeros.grad is not None
    assert torch.equal(zeros.grad, torch.zeros(1, 2, 4, 4))


def test_alexnet_pools_windows_that_overlap():
    encoder = all_positive("alexnet")
    line = torch.arange(25.0, dtype=torch.float64).view(1, 1, 5, 5)
    expected = torch.tensor([[[[6.0, 8.0], [16.0, 18.0]]]], dtype=torch.float64)
    assert torch.allclose(encoder.get_submodule("pool1")(line), expected, atol=1e-12, rtol=0)


def test_pooling_kinds_bound_each_other(photo):
    weights = random_weights("vgg19", seed=0, widths=(4, 4, 4, 4, 4))
    pool = {
        kind: Encoder("vgg19", weights, pooling=kind)(photo, ["pool1"])["pool1"]
        for kind in ("max", "average", "l2")
    }
    assert (pool["average"] <= pool["l2"] + 1e-5).all()
    assert (pool["l2"] <= pool["max"] + 1e-5).all()


def test_unknown_pooling_is_refused():
    unchecked = getattr(Encoder.__init__, "__wrapped__", Encoder.__init__)
    with pytest.raises(ValueError, match="unknown pooling 'mean'; it can be 'max', 'average'"):
        unchecked(Encoder.__new__(Encoder), "vgg19", {}, pooling="mean")  # pyright: ignore[reportArgumentType]


def test_wrong_requests_say_what_would_be_right(tiny_encoder, photo):
    with pytest.raises(ValueError, match=r"'relu6_1' \(did you mean 'relu.*has: conv1_1, relu1_1"):
        tiny_encoder(photo, ["relu1_1", "relu6_1"])
    with pytest.raises(TypeError, match=r"for one layer write \['relu1_1'\]"):
        tiny_encoder(photo, "relu1_1")
    with pytest.raises(ValueError, match="no layer asked for; this network has: conv1_1"):
        tiny_encoder(photo, [])
    with pytest.raises(ValueError, match=r"got shape \(3, 48, 64\); for one picture use"):
        tiny_encoder(photo[0], ["relu1_1"])
    with pytest.raises(ValueError, match=r"expected an RGB batch .* got shape \(1, 1, 48, 64\)"):
        tiny_encoder(photo[:, :1], ["relu1_1"])
    with pytest.raises(ValueError, match=r"picture is torch.float64 on cpu, the encoder torch.flo"):
        tiny_encoder(photo.double(), ["relu1_1"])
    with pytest.raises(ValueError, match="no layer 'x'"):
        tiny_encoder.check_layers(["relu1_1", "x"])
    tiny_encoder.check_layers([])


def test_a_short_file_gives_the_layers_it_has(tmp_path):
    weights = random_weights("vgg19", seed=0)
    short = {k: v for k, v in weights.items() if k < "conv2_2"}
    path = tmp_path / "short.safetensors"
    save_file(short, path)
    encoder = load_encoder("vgg19", weights=path)
    assert encoder.layers == layer_names("vgg19")[:7]
    assert encoder.layers[-1] == "relu2_1"
    with pytest.raises(ValueError, match=r"no layer 'relu3_1' .*conv2_1, relu2_1$"):
        encoder(torch.rand(1, 3, 16, 16), ["relu3_1"])


def test_networks_are_told_apart_by_keys_and_shapes():
    for name in encoders.encoder_names():
        assert recognise(random_weights(name, seed=0)) == name


def test_a_narrow_vgg19_counts_as_lite_down_to_conv5_1():
    narrow = random_weights("lite", seed=0, widths=(2, 3, 4, 5, 6))
    assert recognise(narrow) == "lite"
    with pytest.raises(WeightsError, match="fit none of lite"):
        recognise(random_weights("vgg19", seed=0, widths=(2, 3, 4, 5, 6)))


@pytest.mark.parametrize(
    ("name", "last", "expected"),
    [
        ("vgg16", "conv3_3", "vgg19"),  # both begin so: the one with more layers
        ("vgg16", "conv4_1", "vgg16"),
        ("vgg13_bn", "bn2_2", "vgg19_bn"),
        ("vgg11", "conv2_1", "vgg11"),
        ("lite", "conv2_1", "lite"),
        ("alexnet", "conv2", "alexnet"),
    ],
)
def test_short_files_are_told_apart_as_far_as_possible(name, last, expected):
    usable = layer_names(name)[: layer_index(name, last) + 1]
    whole = random_weights(name, seed=0)
    assert recognise({k: v for k, v in whole.items() if k.split(".")[0] in usable}) == expected


def test_keys_by_index_by_name_and_without_prefix_are_the_same():
    named = random_weights("vgg11", seed=0, widths=(2, 3, 4, 5, 6))
    by_index = {
        f"{layer_index('vgg11', key.split('.')[0])}.{key.split('.')[1]}": tensor
        for key, tensor in named.items()
    }
    prefixed = {f"features.{key}": tensor for key, tensor in by_index.items()}
    for other in (by_index, prefixed):
        table, found = fit("vgg11", other)
        assert table == fit("vgg11", named)[0]
        assert all(torch.equal(found[key], named[key]) for key in named)


def broken(change: str) -> dict[str, Tensor]:
    weights = random_weights("vgg19", seed=0, widths=(2, 3, 4, 5, 6))
    if change == "shape":
        weights["conv2_1.weight"] = torch.zeros(3, 2, 5, 5)
    elif change == "bias":
        weights["conv2_1.bias"] = torch.zeros(4)
    elif change == "lacks":
        del weights["conv2_1.bias"]
    elif change == "gap":
        del weights["conv1_2.weight"], weights["conv1_2.bias"]
    elif change == "key":
        weights["head.weight"] = torch.zeros(1)
    elif change == "place":
        weights["features.1.weight"] = torch.zeros(1)
    elif change == "beyond":
        weights["features.99.weight"] = torch.zeros(1)
    elif change == "part":
        weights["conv1_1.gamma"] = torch.zeros(1)
    elif change == "nan":
        weights["conv1_1.bias"][0] = torch.nan
    elif change == "nothing":
        weights = {"classifier.0.weight": torch.zeros(1)}
    return weights


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("shape", r"conv2_1.weight has the shape \(3, 2, 5, 5\); vgg19 expects \(3, 2, 3, 3\)"),
        ("bias", r"conv2_1.bias has the shape \(4,\); vgg19 expects \(3,\)"),
        ("lacks", "vgg19 needs conv2_1.bias, which the weights lack"),
        ("gap", "not the first layers of vgg19: conv1_2 is missing; found 30 tensors: conv1_1.wei"),
        ("key", "vgg19 has no place for 'head.weight'; expected keys such as 'features.0.weight'"),
        ("place", "vgg19 has no place for 'features.1.weight'"),
        ("beyond", "vgg19 has no place for 'features.99.weight'"),
        ("part", "vgg19 has no place for 'conv1_1.gamma'"),
        ("nan", "conv1_1.bias holds numbers that are not finite"),
        ("nothing", "not the first layers of vgg19: conv1_1 is missing; found 1 tensors"),
    ],
)
def test_weights_that_do_not_fit_say_why(change, message):
    with pytest.raises(WeightsError, match=message):
        Encoder("vgg19", broken(change))
    with pytest.raises(WeightsError, match=r"fit none of lite, .*found .* tensors"):
        recognise(broken(change))


def test_a_network_named_must_have_its_own_widths(tmp_path):
    path = tmp_path / "narrow.safetensors"
    save_file(random_weights("lite", seed=0), path)
    with pytest.raises(WeightsError, match=r"conv1_1.weight has the shape \(32, 3, 3, 3\); vgg19"):
        load_encoder("vgg19", weights=path)
    assert load_encoder("lite", weights=path).channels("relu1_1") == 32


def test_random_weights_are_seeded_and_keep_the_scale():
    first, again, other = (load_encoder("vgg11", weights="random", seed=s) for s in (3, 3, 4))
    key = "conv4_1.weight"
    assert torch.equal(first.state_dict()[key], again.state_dict()[key])
    assert not torch.equal(first.state_dict()[key], other.state_dict()[key])
    assert (first.weights_name, first.weights_sha256) == ("random-3", None)
    deviation = first.state_dict()[key].std().item()
    assert deviation == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01)
    features = first(torch.rand(1, 3, 32, 32, generator=generator(0)), ["relu1_1", "relu4_2"])
    sizes = [tensor.square().mean().item() for tensor in features.values()]
    assert 0.2 < sizes[1] / sizes[0] < 5


def test_torchs_own_random_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_encoder("vgg11_bn", weights="random")
    load_encoder()
    assert torch.equal(torch.rand(3), expected)


def test_half_precision_becomes_single():
    half = {k: v.half() for k, v in random_weights("vgg11", 0, (2, 2, 2, 2, 2)).items()}
    encoder = Encoder("vgg11", half)
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}
    assert torch.equal(encoder.state_dict()["conv1_1.weight"].half(), half["conv1_1.weight"])


def test_state_dict_has_layer_names_and_loads_again(tiny_encoder, photo, tmp_path):
    state = tiny_encoder.state_dict()
    assert set(state) == set(random_weights("vgg19", 0))
    again = Encoder("vgg19", state)
    layer = ["relu5_4"]
    assert torch.equal(again(photo, layer)["relu5_4"], tiny_encoder(photo, layer)["relu5_4"])


def test_weights_and_features_are_channels_last(tiny_encoder):
    for encoder in (tiny_encoder, load_encoder()):
        weight = encoder.state_dict()["conv3_1.weight"]
        assert weight.is_contiguous(memory_format=torch.channels_last)
        assert not weight.is_contiguous()
        features = encoder(torch.rand(1, 3, 16, 16), ["conv1_1"])["conv1_1"]
        assert features.is_contiguous(memory_format=torch.channels_last)


def test_another_precision_is_a_copy_that_takes_the_same_pictures(tiny_encoder, photo):
    half = tiny_encoder.computing_in("bfloat16")
    assert (tiny_encoder.precision, half.precision) == ("float32", "bfloat16")
    assert half.computing_in("bfloat16") is half
    assert tiny_encoder.computing_in("float32") is tiny_encoder
    assert tiny_encoder.get_parameter("conv1_1.weight").dtype == torch.float32
    names = ["relu1_1", "pool2", "relu4_1"]
    exact, found = tiny_encoder(photo, names), half(photo, names)
    for name in names:
        assert found[name].dtype == torch.bfloat16
        assert found[name].is_contiguous(memory_format=torch.channels_last)
        assert (found[name].float() - exact[name]).norm() < 0.02 * exact[name].norm(), name
    with pytest.raises(ValueError, match="were rounded to bfloat16; for float32 start from"):
        half.computing_in("float32")


def test_the_picture_is_normalised_before_it_is_rounded(tiny_encoder):
    # Around the mean, values that bfloat16 cannot tell apart differ after its subtraction.
    near = tiny_encoder.get_buffer("mean").bfloat16().float().expand(1, 3, 16, 16)
    half = tiny_encoder.computing_in("bfloat16")
    assert torch.equal((near + 1e-4).bfloat16(), near.bfloat16())
    first, second = (half(each, ["conv1_1"])["conv1_1"] for each in (near, near + 1e-4))
    assert not torch.equal(first, second)


def test_an_encoder_of_double_precision_stays_as_it_is(tiny_encoder):
    double = tiny_encoder.double()
    assert double.computing_in("bfloat16") is double


def test_the_bundled_encoder_is_the_default(photo, monkeypatch):
    encoder = load_encoder()
    path = bundled_weights_folder() / "lite.safetensors"
    assert (encoder.name, encoder.weights_name) == ("lite", "lite.safetensors")
    assert encoder.weights_sha256 == file_sha256(path)
    assert set(encoder.state_dict()) == set(read_weights(path))
    features = encoder(photo, ["relu1_1", "relu5_1"])
    for tensor in features.values():
        assert tensor.isfinite().all() and tensor.std() > 0
    monkeypatch.setenv("NSTLAB_ENCODER", "vgg11")
    assert load_encoder(weights="random").name == "vgg11"


def test_unknown_encoders_and_contradictions(tmp_path):
    with pytest.raises(ValueError, match=r"no encoder 'vgg91' \(did you mean 'vgg1.*or the path"):
        load_encoder("vgg91")
    with pytest.raises(WeightsError, match=r"no weight file '.*nowhere.pth'"):
        load_encoder(tmp_path / "nowhere.pth")
    with pytest.raises(ValueError, match=r"two weight files: 'a.pth' and weights='b.pth'"):
        load_encoder("a.pth", weights="b.pth")


def test_the_real_vgg19_as_far_as_conv3_4(shared_files):
    path = shared_files / "weights" / "vgg19_to_conv3_4.safetensors"
    if not path.is_file():
        pytest.skip("the folder of NSTLAB_TEST_FILES has no weights/vgg19_to_conv3_4.safetensors")
    encoder = load_encoder(path)
    assert encoder.name == "vgg19"
    assert encoder.layers == layer_names("vgg19")[: layer_index("vgg19", "pool3") + 1]
    with pytest.raises(ValueError, match="no layer 'relu4_2'"):
        encoder.check_layers(["relu4_2"])


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu3_1"])
def test_lite_knows_what_vgg19_sees(shared_files, layer):
    """It ranks styles as VGG-19 does; a wrong mean or order of colours would show here."""
    path = shared_files / "weights" / "vgg19_to_conv3_4.safetensors"
    if not path.is_file():
        pytest.skip("the folder of NSTLAB_TEST_FILES has no weights/vgg19_to_conv3_4.safetensors")
    names = [name for name, each in catalogue().items() if each.kind in ("photograph", "style")]
    pictures = [load_picture(name, size=128) for name in names]
    true = gram_matrices(load_encoder(path), pictures, [layer])[layer]

    def agrees(pictures: list[Tensor]) -> float:
        guess = gram_matrices(load_encoder(), pictures, [layer])[layer]
        return agreement(guess, true, normed=False, resamples=1).correlation

    assert agrees(pictures) > 0.97
    assert agrees([picture.flip(1) for picture in pictures]) < agrees(pictures)


def test_a_walk_goes_no_further_than_it_is_asked(tiny_encoder, photo):
    layers = ["conv2_1", "relu1_1"]
    with record(tiny_encoder, ["relu1_1", "relu1_2", "conv2_1"]) as seen:
        walk = tiny_encoder.walk(photo, layers)
        assert not seen
        name, features = next(walk)
        assert name == "relu1_1" and list(seen) == ["relu1_1"]
        assert torch.equal(features, seen["relu1_1"])
        assert [name for name, _ in walk] == ["conv2_1"]
    with pytest.raises(ValueError, match="no layer 'relu9_9'"):
        tiny_encoder.walk(photo, ["relu9_9"])  # at once, not when the first layer is asked for


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_pools_keep_their_input_alone_and_have_torchs_gradients(kernel, stride, dtype):
    features = torch.rand(1, 2, 7, 8).to(dtype).requires_grad_()
    plain: dict[Pooling, Callable[[Tensor], Tensor]] = {
        "max": nn.MaxPool2d(kernel, stride),
        "l2": lambda x: (nn.AvgPool2d(kernel, stride)(x.square()) + 1e-12).sqrt(),
    }
    for pooling, theirs in plain.items():
        saved: list[int] = []

        def keep(tensor: Tensor) -> Tensor:
            saved.append(tensor.data_ptr())  # noqa: B023 (called in this turn only)
            return tensor

        layer = Layer("pool1", "pool", 2, kernel, stride)
        ours = make_module(layer, 2, pooling, "zeros")
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            found = ours(features)
        assert saved == [features.data_ptr()]
        expected = theirs(features)
        assert torch.equal(found, expected)
        slope = torch.rand_like(found)
        (theirs_back,) = torch.autograd.grad(expected, features, slope)
        for _ in range(2):  # the graph may be gone through twice
            (ours_back,) = torch.autograd.grad(found, features, slope, retain_graph=True)
            assert torch.equal(ours_back, theirs_back)
        if dtype == torch.float64:
            assert torch.autograd.gradgradcheck(ours, (features,))
