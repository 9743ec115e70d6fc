"""How much memory a run needs, tensor by tensor, from the table of the encoder's layers."""

import math
import platform
from collections.abc import Sequence
from itertools import zip_longest

from nstlab.estimate.work import Output, Work, outputs_of

FLOAT = 4  # bytes of a number in float32
INDEX = 8  # bytes of the place of a maximum, which pooling keeps
STATES = {  # pictures that a method keeps from one evaluation to the next, its memory aside
    "lbfgs": 4,  # point, origin, gradient and direction there
    "scipy": 20,  # of float64: point, gradient, bounds, five of working space
    "adam": 3,
    "gradient_descent": 1,
}
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
    | `features`  | what autograd keeps for the way back: see `kept`                             |
    | `gradients` | of features: see `gradients`                                                 |
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
    loop = {
        "features": [batch * size for size in kept(work)],
        "gradients": [batch * size for size in gradients(work)],
        "pictures": [picture] * (STATES[method] + LOOP),
        "history": [2 * work.settings.history * picture * bytes_each],
        "frames": [picture // FLOAT] * (on_cpu * work.frames),
    }
    tensors = {"weights": _weights(work), "targets": _targets(work), **loop}
    parts = {name: sum(sizes) for name, sizes in tensors.items()}
    parts["capture"] = max(0, capture_bytes(work) - sum(parts[name] for name in loop))
    glibc = on_cpu and platform.libc_ver()[0] == "glibc"
    small = sum(size for sizes in tensors.values() for size in sizes if size < MAPPED)
    return {**parts, "holes": int(glibc * HOLES * small)}


def kept(work: Work) -> Sizes:
    """What autograd keeps of one picture's features from the way forward for the way back.

    A convolution keeps its input, a ReLU its output, a pool its input and the places of the maxima.
    So every output is kept once, but for that of a convolution (or batch norm) before a ReLU, which
    is kept only where a term reads it.

    Args:
        work: the run.

    Returns:
        Bytes of each tensor.
    """
    each, pooling = work.bytes_per_number, work.encoder.pooling
    height, width = work.result
    sizes = [3 * height * width * each]  # the normalised picture
    before = None
    for output, after in zip_longest(work.outputs, work.outputs[1:]):
        passed_on = after is not None and after.layer.kind == "relu"
        if not passed_on or output.layer.name in work.layers:
            sizes.append(output.numbers * each)
        if output.layer.kind == "pool" and pooling == "max":
            sizes.append(output.numbers * INDEX)
        if output.layer.kind == "pool" and pooling == "l2" and before is not None:
            sizes.append(before.numbers * each)  # the squares
        before = output
    return sizes


def gradients(work: Work) -> Sizes:
    """Gradients of one picture's features at the moment when most is held.

    All terms go back to their features before the encoder begins to go back, so the gradients of
    all layers that are read are there together. Two more of the largest are needed to add them up:
    in float32 F Fᵀ has one gradient for each factor. After that a layer needs two at a time.

    Args:
        work: the run.

    Returns:
        Bytes of each tensor.
    """
    each, read = work.bytes_per_number, _numbers(work.outputs)
    sizes = [each * read[name] for name in work.layers]
    sizes += [FLOAT * read[name] for name in work.content_layers] * 2  # F − P and its square
    twice = each * work.outputs[-1].numbers if work.outputs else 0
    if work.precision != "bfloat16":
        twice = max(twice, *(each * read[name] for name in work.style_layers), 0)
    return [*sizes, twice, twice]


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
