"""What a choice will cost, told beside the knobs: seconds and memory, before and after a run."""

from collections.abc import Sequence

from nstlab.encoders import Encoder, encoder_names
from nstlab.estimate import Estimate, estimate, in_bytes
from nstlab.samples import load_picture
from nstlab.settings import Settings
from nstlab.stock import PictureSource, encoder_for
from nstlab.weights import weights_at_hand
from nstlab.widgets.track import KEPT, Moment
from nstlab.words import duration

FREE = ("content_weight", "style_weight", "variation_weight", "seed", "start")  # cost nothing


class Forecast:
    """Seconds and memory of a choice; what was measured while a run went on corrects the seconds.

    Attributes:
        slower: how much longer than foretold the last steps took.
    """

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.slower = 1.0
        self._asked: object = None
        self._found: Estimate | None = None
        self._encoders: dict[tuple[object, ...], Encoder] = {}

    def words(
        self, content: PictureSource, styles: Sequence[PictureSource], settings: Settings
    ) -> str:
        """The line for a choice.

        Args:
            content: the content picture.
            styles: one or several.
            settings: of the run.

        Returns:
            Time and memory, or why they cannot be told.
        """
        if settings.encoder in encoder_names() and not _at_hand(settings):
            return "the weights of this encoder are fetched at the first start"
        plain = Settings()
        costs = settings.change(**{name: getattr(plain, name) for name in FREE})
        asked = (costs, id(content), *map(id, styles))
        if asked != self._asked:
            self._found = None
            try:
                self._found = self._estimate(content, styles, settings)
            except (ValueError, OSError, RuntimeError) as error:
                return str(error)
            self._asked = asked
        return self.again()

    def again(self) -> str:
        """The line for the last choice, with what is known by now of the machine's speed."""
        if self._found is None:
            return ""
        memory = in_bytes(self._found.peak_bytes)
        words = f"expected: {duration(self.slower * self._found.seconds)}, {memory} of memory"
        return words if self._found.fits else f"{words}: more than is free; choose a smaller size"

    def learn(self, moment: Moment) -> None:
        """Compare what was foretold with the pace of a run.

        Args:
            moment: of the run.
        """
        if moment.pace and moment.state == "running" and self._found is not None:
            self.slower = moment.pace / self._found.seconds_per_evaluation

    def _estimate(
        self, content: PictureSource, styles: Sequence[PictureSource], settings: Settings
    ) -> Estimate:
        shapes = [load_picture(each).shape for each in (content, *styles)]
        sides = [(shape[2], shape[3]) for shape in shapes]
        return estimate(
            settings,
            shape=sides[0],
            styles=sides[1:],
            frames=4 * KEPT,  # pictures to go back to, of four bytes where a frame has one
            encoder=self._encoder(settings),
        )

    def _encoder(self, settings: Settings) -> Encoder:
        key = (settings.encoder, settings.weights, settings.pooling)
        if key not in self._encoders:
            self._encoders = {key: encoder_for(settings)}
        return self._encoders[key]


def _at_hand(settings: Settings) -> bool:
    here = settings.encoder == "lite" or settings.weights is not None
    return here or weights_at_hand(settings.encoder)
