"""How much memory a run needs, tensor by tensor, from the table of the encoder's layers."""

import math
import platform
from collections.abc import Sequence
from itertools import zip_longest

from nstlab.encoders.modules import Convolution
from nstlab.estimate.work import Output, Work, outputs_of
from nstlab.objective import IMAGE
from nstlab.winograd import scratch

FLOAT = 4  # bytes of a number in float32
INDEX = 8  # bytes of the place of a maximum
STATES = {  # pictures that a method keeps from one evaluation to the next, its memory aside
    "lbfgs": 3,  # point, origin and gradient there
    "scipy": 20,  # of float64: point, gradient, bounds, five of working space
    "adam": 3,
    "gradient_descent": 1,
}
ADAPTIVE = 3  # more of L-BFGS with a preconditioner: two sums of squares and D^½
LOOP = 8  # more pictures: the start, the best, the gradient with a copy, terms on the picture
MAPPED = 32 * 2**20  # bytes; glibc maps what is larger by itself, and gives all of it back
HOLES = 0.4  # of what is smaller: lost between pieces of other sizes in glibc's heap

Sizes = list[int]  # bytes of each tensor


def memory_parts(work: Work) -> dict[str, int]:
    """Bytes that a run allocates at its peak, above what the process has already.

    What torch loads at its first use in a process, about 120 MB, is not in it.

    | part        | what it is                                                                   |
    |-------------|------------------------------------------------------------------------------|
    | `weights`   | the encoder's in the run's precision, where they are not there already       |
    | `targets`   | features of the content picture, Gram matrices                               |
    | `features`  | what autograd keeps for the way back, at the worst moment: see `at_peak`     |
    | `gradients` | of features at that moment, and what else is made on the way                 |
    | `pictures`  | state of the optimiser and of the loop, 3·h·w numbers each                   |
    | `history`   | of L-BFGS: two for each step that is remembered (of float64 with scipy)      |
    | `frames`    | pictures kept as bytes                                                       |
    | `capture`   | what computing the targets needs more than the loop, if it does              |
    | `holes`     | on Linux's CPUs: what glibc's heap loses between tensors of up to 32 MiB     |

    Args:
        work: the run.

    Returns:
        Part to bytes; their sum is the peak.
    """
    height, width = work.result
    batch, method, on_cpu = work.pictures, work.settings.optimizer, work.device.type == "cpu"
    picture = batch * 3 * height * width * FLOAT
    bytes_each = {"lbfgs": 1, "scipy": 2}.get(method, 0)
    adaptive = ADAPTIVE * (method == "lbfgs" and work.settings.preconditioner == "adaptive")
    features, gradients = at_peak(work)
    loop = {
        "features": features,
        "gradients": gradients,
        "pictures": [picture] * (STATES[method] + adaptive + LOOP),
        "history": [2 * work.settings.history * picture * bytes_each],
        "frames": [picture // FLOAT] * (on_cpu * work.frames),
    }
    tensors = {"weights": _weights(work), "targets": _targets(work), **loop}
    parts = {name: sum(sizes) for name, sizes in tensors.items()}
    parts["capture"] = max(0, capture_bytes(work) - sum(parts[name] for name in loop))
    glibc = on_cpu and platform.libc_ver()[0] == "glibc"
    small = sum(size for sizes in tensors.values() for size in sizes if size < MAPPED)
    return {**parts, "holes": int(glibc * HOLES * small)}


def at_peak(work: Work) -> tuple[Sizes, Sizes]:
    """What one evaluation of all pictures holds at the moment when it holds most.

    On the way back a layer's features are given up once the gradient has passed it, so the moment
    is either the turn, where all is kept, or some way up, where features and gradients are large.

    Args:
        work: the run.

    Returns:
        Bytes of each tensor: of features that are kept, and of all that is made of them.
    """
    features = {name: work.pictures * size for name, size in kept(work).items()}
    moments = []
    for place in range(len(work.outputs)):
        still = [features.get(output.layer.name, 0) for output in work.outputs[: place + 1]]
        moments.append(([features[IMAGE], *still], _at_layer(work, place)))
    return max(moments, key=lambda both: sum(map(sum, both)), default=([features[IMAGE]], []))


def kept(work: Work) -> dict[str, int]:
    """What autograd keeps of one picture's features from the way forward for the way back.

    A convolution keeps its input, a ReLU its output, a pool its input. So every output is kept
    once, but for that of a convolution (or batch norm) before a ReLU, which is kept only where a
    term reads it; and where content is compared F − P in float32, to be squared.

    Args:
        work: the run.

    Returns:
        Bytes by layer; under `image` the normalised picture.
    """
    each, (height, width) = work.bytes_per_number, work.result
    sizes = {IMAGE: 3 * height * width * each}
    for output, after in zip_longest(work.outputs, work.outputs[1:]):
        passed_on = after is not None and after.layer.kind == "relu"
        if not passed_on or output.layer.name in work.layers:
            sizes[output.layer.name] = output.numbers * each
        if output.layer.name in work.content_layers:
            sizes[output.layer.name] += output.numbers * FLOAT
    return sizes


def _at_layer(work: Work, place: int) -> Sizes:
    """Bytes of what one layer makes on the way back, besides what is kept.

    The gradients of its output and its input. Where a term reads it, the term's gradient, and of
    the content term one more in float32. A pool is computed again, a maximum with its place.
    """
    each, output = work.pictures * work.bytes_per_number, work.outputs[place]
    name, layer, own = output.layer.name, output.layer, each * output.numbers
    above = work.outputs[place - 1].numbers if place else 3 * output.height * output.width
    sizes = [own, each * above]
    sizes += [own] * (name in work.layers)
    if name in work.content_layers:
        sizes.append(work.pictures * FLOAT * output.numbers)
    if layer.kind == "pool" and work.encoder.pooling != "average":
        places = work.pictures * INDEX * output.numbers
        sizes += [own, places if work.encoder.pooling == "max" else each * above]
    module = work.encoder.get_submodule(name)
    on_cpu, single = work.device.type == "cpu", work.precision == "float32"
    positions = output.height * output.width
    other = isinstance(module, Convolution) and module.takes_winograd(positions)
    if other and on_cpu and single:
        across = work.pictures * output.width
        sizes += [FLOAT * count for count in scratch(output.before, layer.channels, across)]
        sizes += [own, each * above]  # with borders
    return sizes


def capture_bytes(work: Work) -> int:
    """What computing the targets needs: pictures, features of all styles, and one layer at work.

    The pictures are held as they were read and at the size at which they are used; all of this is
    given back before the loop.

    Args:
        work: the run.

    Returns:
        Bytes.
    """
    each, held, largest = work.bytes_per_number, 0, 0
    if work.device.type == "cpu":
        held += 3 * FLOAT * work.read
    for shape in work.style_shapes():
        outputs = list(outputs_of(work.encoder, shape, work.style_layers))
        read = _numbers(outputs)
        held += sum(each * read[name] for name in work.style_layers) + 3 * FLOAT * math.prod(shape)
        largest = max(largest, *(each * output.numbers for output in outputs))
    return held + 2 * largest


def _weights(work: Work) -> Sizes:
    weights = list(work.encoder.parameters())
    moved = not work.loaded or work.device != work.encoder.get_buffer("mean").device
    if work.precision != work.encoder.precision:  # those that were loaded go before the loop
        return [weight.numel() * work.bytes_per_number for weight in weights]
    return [weight.numel() * weight.element_size() for weight in weights] * moved


def _targets(work: Work) -> Sizes:
    read = _numbers(work.outputs)
    channels = [work.encoder.channels(name) for name in work.style_layers]
    grams = [FLOAT * count**2 for count in channels] * 4  # target, ours, difference, gradient
    return grams + [work.bytes_per_number * read[name] for name in work.content_layers]


def _numbers(outputs: Sequence[Output]) -> dict[str, int]:
    return {output.layer.name: output.numbers for output in outputs}
