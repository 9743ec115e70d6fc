"""What a layer or one of its channels answers to a picture."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn.functional import interpolate

from nstlab.encoders import Encoder
from nstlab.plots.patches import response, strongest_patches
from nstlab.plots.style import INK, WIDTH, PicturePlot, as_arrays

# Inches
GAP = 0.05  # between patches
BETWEEN = 0.15  # between the picture and the patches
TITLE = 0.3


def show_feature_maps(
    features: Float[Tensor, "1 c h w"],
    channels: Sequence[int] | None = None,
    *,
    columns: int = 8,
    width: float = WIDTH,
) -> PicturePlot:
    """The outputs of some channels of a layer, each from black (its least) to white.

    White begins where one value in 200 lies above, so that a single spot does not darken the rest.

    Args:
        features: of one layer for one picture.
        channels: which to show; the first 16 if None.
        columns: maps in a row.
        width: of the figure, inches.

    Returns:
        The figure; the number above each map is the channel's.

    Raises:
        ValueError: no such channel, or none.
    """
    count = features.shape[1]
    channels = range(min(16, count)) if channels is None else channels
    for channel in channels:
        if not 0 <= channel < count:
            raise ValueError(f"no channel {channel}; the layer's are 0 to {count - 1}")
    if not channels:
        raise ValueError("channels is empty; name at least one")
    rows = -(-len(channels) // columns)
    aspect = features.shape[3] / features.shape[2]
    cell = width / columns
    figure = PicturePlot((width, rows * (cell / aspect + 0.2)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)  # pyright: ignore
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, channel in zip(grid.flat, channels, strict=False):
        values = features[0, channel].detach().float().cpu()
        low, high = float(values.min()), float(values.quantile(0.995))
        axes.imshow(values.numpy(), cmap="gray", vmin=low, vmax=high if high > low else low + 1)
        axes.set_title(str(channel), fontsize=8, color=INK, pad=2)
    return figure


def show_channel(
    encoder: Encoder,
    pictures: Float[Tensor, "1 3 _ _"] | Sequence[Float[Tensor, "1 3 _ _"]],
    layer: str,
    channel: int,
    *,
    patches: int = 8,
    width: float = WIDTH,
) -> PicturePlot:
    """Where one channel answers in a picture, and the patches that excite it most.

    Left: the picture in grey with the channel's output over it, brighter where it is stronger,
    and a frame around each of the strongest patches in it. Right: these patches, strongest first.

    Args:
        encoder: the network.
        pictures: where to look; the one with the strongest answer is shown at the left.
        layer: one of `encoder.layers`.
        channel: one of its channels.
        patches: how many to show.
        width: of the figure, inches.

    Returns:
        The figure.

    Raises:
        ValueError: no such layer or channel, no patch asked for, pictures too small, or a channel
            that is silent in all of them.
    """
    if patches < 1:
        raise ValueError(f"patches is {patches}; it must be at least 1")
    several = [pictures] if isinstance(pictures, Tensor) else list(pictures)
    if not several:
        raise ValueError("there is no picture to look at")
    found = strongest_patches(encoder, several, layer, channel, patches)
    if not found:
        raise ValueError(
            f"channel {channel} of {layer} answers nowhere in the {len(several)} pictures given; "
            "take another channel, or other or larger pictures"
        )
    shown = found[0].picture
    rows = 2 if len(found) > 3 else 1
    columns = -(-len(found) // rows)
    height, across = several[shown].shape[2:]
    # All in inches. The picture and the rows of patches share one height, and fill the width.
    share = columns * GAP * (rows - 1) / rows - GAP * (columns - 1) - BETWEEN
    tall = (width + share) / (across / height + columns / rows)
    square = (tall - GAP * (rows - 1)) / rows
    beside = tall * across / height + BETWEEN
    figure = PicturePlot((width, tall + TITLE))

    def place(left: float, bottom: float, wide: float, high: float) -> Axes:
        whole = tall + TITLE
        axes = figure.add_axes((left / width, bottom / whole, wide / width, high / whole))
        axes.set_axis_off()
        return axes

    def title(left: float, right: float, text: str) -> None:
        middle, bottom = (left + right) / 2 / width, (tall + 0.08) / (tall + TITLE)
        figure.text(middle, bottom, text, fontsize=9.5, color=INK, ha="center")

    main = place(0, 0, beside - BETWEEN, tall)
    _draw_response(main, several[shown], response(encoder, several[shown], layer, channel))
    for patch in found:
        if patch.picture == shown:
            side = patch.image.shape[2]
            frame = Rectangle((patch.left, patch.top), side, side, fill=False, ec="white", lw=1)
            main.add_patch(frame)
    for number, patch in enumerate(found):
        row, column = divmod(number, columns)
        bottom = tall - (row + 1) * square - row * GAP
        axes = place(beside + column * (square + GAP), bottom, square, square)
        axes.imshow(as_arrays(patch.image)[0], aspect="auto")
    title(0, beside - BETWEEN, f"{layer}, channel {channel}")
    title(beside, width, "what excites it most")
    return figure


def _draw_response(axes: Axes, picture: Tensor, answer: Tensor) -> None:
    height, width = picture.shape[2:]
    grey = picture[0].detach().float().cpu().clamp(0, 1).mean(0)
    smooth = interpolate(answer[None, None], (height, width), mode="bilinear")[0, 0]
    strength = (smooth / smooth.max().clamp_min(1e-12)).clamp(0, 1)
    axes.imshow((0.25 + 0.6 * grey).numpy(), cmap="gray", vmin=0, vmax=1, aspect="auto")
    opacity = strength.sqrt().numpy() * 0.9
    axes.imshow(strength.numpy(), cmap="inferno", alpha=opacity, aspect="auto")
