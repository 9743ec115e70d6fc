"""The settings of a run: frozen, checked, and written into its record."""

from dataclasses import asdict, dataclass, field, fields, replace
from operator import index
from pathlib import Path
from typing import Any, Literal, get_args

from nstlab.encoders import Pooling
from nstlab.losses import Normalization, check_normalization
from nstlab.optimize import OPTIMIZERS, Optimizer
from nstlab.preconditioner import PRECONDITIONERS, PreconditionerName
from nstlab.runtime import PRECISIONS, Precision, default_encoder
from nstlab.words import did_you_mean

Start = Literal["content", "noise", "smooth_noise", "style", "picture"]
POOLINGS: tuple[str, ...] = get_args(Pooling)
STARTS: tuple[str, ...] = get_args(Start)
StyleFit = Literal["size", "cover", "original"]
STYLE_FITS: tuple[str, ...] = get_args(StyleFit)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYERS = ("relu4_2",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that a run depends on besides its pictures.

    Attributes:
        encoder: a name of `encoder_names()`, or the path of a weight file.
        weights: path of a weight file for the encoder named, `random`, or None for its own.
        pooling: `max`, `average` (as the paper advises) or `l2`.
        content_layers: where content is compared.
        content_layer_weights: one for each of them; equal shares where None.
        style_layers: where Gram matrices are compared.
        style_layer_weights: one for each of them; equal shares where None. With the normalisation
            `relative` layer weights are divided by their sum; with the others they are used as
            they are.
        normalization: which published form the losses have; see `losses`.
        content_weight: α.
        style_weight: β. The default suits `relative`.
        variation_weight: factor of `variation_loss`; smooths. 0 leaves it out.
        range_weight: factor of `range_loss`, which holds colours inside [0, 1].
        style_blend: share of each style picture where there are several; equal where None.
        size: longer side of the result in pixels.
        style_fit: `size` scales the style picture to the same longer side, `cover` to the smallest
            size that covers the content picture, `original` not at all.
        style_scale: a further factor on the style picture's size; larger gives larger strokes.
        start: `content`, `noise` (uniform), `smooth_noise` (uniform, median-filtered 8 × 8,
            halved), `style`, or `picture` for one that is handed over; None for the content
            picture where there is one beside a style, else noise.
        steps: changes made to the picture; see `minimize`.
        optimizer: `lbfgs`, `scipy`, `adam` or `gradient_descent`.
        learning_rate: see `minimize`; None for the optimiser's own.
        history: number of steps that L-BFGS remembers.
        preconditioner: of `lbfgs`: `adaptive`, with which it needs fewer steps, or `none`; see
            `minimize`.
        precision: of the convolutions: `float32`, `tf32`, `bfloat16`, or `auto` for the fastest
            that the device has (see `choose_precision`); losses and optimiser stay in float32.
        seed: for the start from noise and for random encoder weights.
    """

    encoder: str = field(default_factory=default_encoder)
    weights: str | None = None
    pooling: Pooling = "max"
    content_layers: tuple[str, ...] = CONTENT_LAYERS
    content_layer_weights: tuple[float, ...] | None = None
    style_layers: tuple[str, ...] = STYLE_LAYERS
    style_layer_weights: tuple[float, ...] | None = None
    normalization: Normalization = "relative"
    content_weight: float = 1.0
    style_weight: float = 40.0
    variation_weight: float = 0.0
    range_weight: float = 10.0
    style_blend: tuple[float, ...] | None = None
    size: int = 384
    style_fit: StyleFit = "size"
    style_scale: float = 1.0
    start: Start | None = None
    steps: int = 200
    optimizer: Optimizer = "lbfgs"
    learning_rate: float | None = None
    history: int = 10
    preconditioner: PreconditionerName = "adaptive"
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        self._plain_numbers()
        for name in ("content", "style"):
            layers = getattr(self, f"{name}_layers")
            if isinstance(layers, str):
                raise TypeError(f"{name}_layers is {layers!r}; for one layer write ({layers!r},)")
            object.__setattr__(self, f"{name}_layers", tuple(layers))
            _check_weights(name, self, getattr(self, f"{name}_layer_weights"))
        if self.style_blend is not None:
            object.__setattr__(self, "style_blend", tuple(map(float, self.style_blend)))
        check_normalization(self.normalization)
        for name, allowed in (
            ("pooling", POOLINGS),
            ("start", (*STARTS, None)),
            ("style_fit", STYLE_FITS),
            ("optimizer", OPTIMIZERS),
            ("preconditioner", PRECONDITIONERS),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; it can be {', '.join(map(str, allowed))}"
                )
        for name in ("content_weight", "style_weight", "variation_weight", "range_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be a number from 0 up")
        for name, least in (("size", 16), ("steps", 1), ("history", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("style_scale", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value}; it must be above 0")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed is {self.seed}; it must be from 0 to 2**63 - 1")
        if self.style_blend is not None and (
            min(self.style_blend, default=0) < 0 or not 0 < sum(self.style_blend) < float("inf")
        ):
            raise ValueError(
                f"style_blend is {self.style_blend}; none may be negative, nor all of them zero"
            )

    def _plain_numbers(self) -> None:
        """Turn NumPy's numbers, which cannot be written as JSON, into Python's."""
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None or each.type not in (int, float, float | None):
                continue
            try:
                plain = index(value) if each.type is int else float(value)
            except (TypeError, ValueError) as error:
                kind = "a whole number" if each.type is int else "a number"
                raise TypeError(f"{each.name} is {value!r}; it must be {kind}") from error
            object.__setattr__(self, each.name, plain)

    def change(self, **changes: Any) -> "Settings":  # noqa: ANN401
        """The same settings with some values changed.

        Args:
            **changes: attributes by name.

        Returns:
            New settings.

        Raises:
            ValueError: no such attribute (the message names the nearest one), or a value that is
                not allowed.

        Example:
            >>> Settings().change(size=256).size
            256
        """
        names = [each.name for each in fields(self)]
        for name in changes:
            if name not in names:
                hint = did_you_mean(name, names)
                raise ValueError(f"no setting {name!r}{hint}; there is: {', '.join(names)}")
        return replace(self, **changes)

    def layer_weights(self, term: Literal["content", "style"]) -> dict[str, float]:
        """The weight of each layer of one term, ready for use.

        Args:
            term: which term.

        Returns:
            Weight by layer name: equal shares that sum to 1 where none were given; divided by
            their sum with `relative`.
        """
        layers: tuple[str, ...] = getattr(self, f"{term}_layers")
        given: tuple[float, ...] | None = getattr(self, f"{term}_layer_weights")
        weights = (1.0,) * len(layers) if given is None else given
        shared = given is None or self.normalization == "relative"
        whole = sum(weights) if shared else 1.0
        return {name: weight / whole for name, weight in zip(layers, weights, strict=True)}

    def as_data(self) -> dict[str, Any]:
        """The settings as plain data for JSON, with file names in place of paths."""
        data = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        data["encoder"] = Path(self.encoder).name
        data["weights"] = None if self.weights is None else Path(self.weights).name
        return data

    @staticmethod
    def from_data(data: dict[str, Any]) -> "Settings":
        """Settings from what `as_data` gave; where that says nothing of a preconditioner, `none`.

        Raises:
            ValueError: an unknown name or a value that is not allowed.
        """
        tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
        tuples.setdefault("preconditioner", "none")  # as all was before there were any
        return Settings().change(**tuples)


def _check_weights(term: str, settings: Settings, weights: tuple[float, ...] | None) -> None:
    layers = getattr(settings, f"{term}_layers")
    if not layers:
        raise ValueError(f"{term}_layers is empty; name at least one layer")
    if len(set(layers)) < len(layers):
        raise ValueError(f"{term}_layers names a layer twice: {', '.join(layers)}")
    if weights is None:
        return
    weights = tuple(map(float, weights))
    if len(weights) != len(layers):
        raise ValueError(
            f"{term}_layer_weights has {len(weights)} numbers for {len(layers)} layers "
            f"({', '.join(layers)}); give one for each"
        )
    if not all(0 <= weight < float("inf") for weight in weights) or not sum(weights) > 0:
        raise ValueError(
            f"{term}_layer_weights is {weights}; none may be negative, nor all of them zero"
        )
    object.__setattr__(settings, f"{term}_layer_weights", weights)
