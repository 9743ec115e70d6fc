"""Style transfer, content inversion and texture synthesis: one loop with three objectives."""

from collections.abc import Sequence
from typing import Unpack

from nstlab.job import Job
from nstlab.runs import Run
from nstlab.settings import Settings
from nstlab.stock import PictureSource, Stock
from nstlab.task import Options, Task, as_list


def stylize(
    content: PictureSource,
    style: PictureSource | Sequence[PictureSource],
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> Run:
    """Paint the content of one picture in the style of another, or of several.

    Minimises α · content + β · style (+ variation + range) over the picture.

    Args:
        content: a bundled or catalogued name, path, URL, PIL image or tensor (1, 3, h, w).
        style: likewise, or a list of them, mixed in the shares of `settings.style_blend`.
        settings: None for the defaults, which start from the content picture.
        **options: how the run is carried out and watched; see `Options`.

    Returns:
        The run; `run.image` is (1, 3, h, w) with a longer side of `settings.size`.

    Raises:
        PictureError: a picture that cannot be had.
        WeightsError: the encoder's weights cannot be had.
        ValueError: settings that do not fit the encoder or the pictures.

    Reference:
        Gatys, Ecker, Bethge 2015, arXiv:1508.06576, equation 7.

    Example:
        >>> run = stylize("china", "swirls_1", Settings(size=64, steps=3))
        >>> run.curve("style")[-1] < run.curve("style")[0]
        True
    """
    return stylize_job(content, style, settings, options).run()


def invert(
    content: PictureSource, settings: Settings | None = None, **options: Unpack[Options]
) -> Run:
    """Find a picture with the same features at `settings.content_layers`: what those layers keep.

    Minimises α · content (+ variation + range), from noise unless `settings.start` says otherwise.

    Args:
        content: a bundled or catalogued name, path, URL, PIL image or tensor (1, 3, h, w).
        settings: None for the defaults; those that concern style are not used.
        **options: how the run is carried out and watched; see `Options`.

    Returns:
        The run; `run.image` is (1, 3, h, w) with a longer side of `settings.size`.

    Raises:
        PictureError, WeightsError, ValueError: as in `stylize`.

    Reference:
        Mahendran, Vedaldi 2015, arXiv:1412.0035; Gatys et al. 2015, arXiv:1508.06576, figure 1.
    """
    return invert_job(content, settings, options).run()


def synthesize_texture(
    style: PictureSource | Sequence[PictureSource],
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> Run:
    """Find a picture with the same Gram matrices at `settings.style_layers`: texture, no layout.

    Minimises β · style (+ variation + range), from noise unless `settings.start` says otherwise.

    Args:
        style: a bundled or catalogued name, path, URL, PIL image or tensor (1, 3, h, w), or a list
            of them, mixed in the shares of `settings.style_blend`.
        settings: None for the defaults; those that concern content are not used.
        **options: how the run is carried out and watched; see `Options`.

    Returns:
        The run; `run.image` is (1, 3, h, w) with the shape of the (first) style picture and a
        longer side of `settings.size`.

    Raises:
        PictureError, WeightsError, ValueError: as in `stylize`.

    Reference:
        Gatys, Ecker, Bethge 2015, arXiv:1505.07376.
    """
    return texture_job(style, settings, options).run()


def stylize_job(
    content: PictureSource,
    style: PictureSource | Sequence[PictureSource],
    settings: Settings | None,
    options: Options,
    stock: Stock | None = None,
) -> Job:
    """What `stylize` makes, ready to be made: a content term and a style term."""
    styles = as_list(style)
    task = Task("stylize", settings, options, stock, content=[content], style=styles)
    shape = task.shape_like(content)
    terms = [task.content_term(content, shape), task.style_term(styles, shape)]
    return task.job(terms, shape, start="content", content=content, style=styles[0])


def invert_job(
    content: PictureSource,
    settings: Settings | None,
    options: Options,
    stock: Stock | None = None,
) -> Job:
    """What `invert` makes, ready to be made: a content term alone."""
    task = Task("invert", settings, options, stock, content=[content])
    shape = task.shape_like(content)
    return task.job([task.content_term(content, shape)], shape, start="noise", content=content)


def texture_job(
    style: PictureSource | Sequence[PictureSource],
    settings: Settings | None,
    options: Options,
    stock: Stock | None = None,
) -> Job:
    """What `synthesize_texture` makes, ready to be made: a style term alone."""
    styles = as_list(style)
    task = Task("texture", settings, options, stock, style=styles)
    shape = task.shape_like(styles[0])
    return task.job([task.style_term(styles, shape)], shape, start="noise", style=styles[0])


JOBS = {stylize: stylize_job, invert: invert_job, synthesize_texture: texture_job}
