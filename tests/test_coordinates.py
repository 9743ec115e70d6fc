"""What the optimiser moves: maps that lose nothing, and gradients that are theirs."""

import pytest
import torch

from nstlab.coordinates import COORDINATES, Frequencies, make_coordinates
from nstlab.optimize import OPTIMIZERS, minimize
from nstlab.runs import Step
from nstlab.runtime import generator
from nstlab.settings import Settings
from nstlab.transfer import stylize

SHAPES = [(2, 3, 8, 8), (1, 3, 7, 10), (1, 3, 6, 9), (1, 3, 5, 1)]


def noise(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", COORDINATES)
def test_there_and_back(name, shape):
    image = noise(shape)
    coordinates = make_coordinates(name, image)
    assert torch.allclose(coordinates.image(coordinates.of(image)), image, atol=1e-12, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", COORDINATES)
def test_the_gradient_is_autograds(name, shape):
    image, slope = noise(shape), noise(shape, 1)
    coordinates = make_coordinates(name, image)
    moved = coordinates.of(image).requires_grad_()
    (expected,) = torch.autograd.grad((coordinates.image(moved) * slope).sum(), moved)
    assert torch.allclose(coordinates.gradient(slope), expected, atol=1e-12, rtol=0)


def test_without_weights_lengths_are_those_in_pixels():
    image = noise((1, 3, 7, 10))
    frequencies = Frequencies(image)
    frequencies.weights = torch.ones_like(frequencies.weights)
    assert torch.isclose(frequencies.of(image).norm(), image.norm(), atol=1e-12, rtol=0)


def test_slow_changes_move_further_than_fine_ones():
    rows = torch.arange(32.0, dtype=torch.float64)
    moved = []
    for frequency in (1 / 32, 0.25):  # a wave of 32 pixels, one of 4
        wave = torch.cos(2 * torch.pi * frequency * rows).expand(1, 3, 32, 32)
        frequencies = Frequencies(wave)
        moved.append((frequencies.image(frequencies.gradient(wave)) / wave)[..., 0].mean())
    assert torch.isclose(moved[0] / moved[1], torch.tensor(8.0**0.5, dtype=torch.float64))


class Bowl:
    """½ |x − x*|²."""

    def __init__(self, wanted: torch.Tensor) -> None:
        self.wanted = wanted

    def value_and_grad(self, image):
        gradient = image - self.wanted
        total = (gradient * gradient).flatten(1).sum(1) / 2
        return {"total": total}, gradient


@pytest.mark.parametrize("optimizer", sorted({*OPTIMIZERS} - {"adam"}))
def test_optimisers_go_down_in_frequencies(optimizer):
    start, wanted = noise((1, 3, 8, 12)), noise((1, 3, 8, 12), 1)
    run = minimize(Bowl(wanted), start, steps=60, optimizer=optimizer, coordinates="frequencies")
    assert run.image.shape == start.shape
    assert run.curve()[-1] < 0.1 * run.curve()[0]


def test_a_wrong_name_and_a_wrong_optimiser_say_what_would_be_right(unchecked_types):
    with pytest.raises(ValueError, match="unknown coordinates 'polar'; there are: pixels, freq"):
        Settings(coordinates="polar")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="take coordinates 'pixels', or another optimiser"):
        Settings(coordinates="frequencies", optimizer="adam")
    start = noise((1, 3, 8, 8))
    with pytest.raises(ValueError, match="take coordinates 'pixels', or another optimiser"):
        minimize(Bowl(start), start, steps=1, coordinates="frequencies", optimizer="adam")


def test_frequencies_have_most_of_a_picture_in_fewer_steps():
    settings = Settings(size=64, steps=15, start="noise")
    pixels, frequencies = (
        stylize("china", "swirls_1", settings.change(coordinates=name)) for name in COORDINATES
    )
    assert frequencies.curve()[-1] < pixels.curve()[-1]
    assert frequencies.recipe["settings"]["coordinates"] == "frequencies"


def test_a_batch_in_frequencies_comes_to_the_same_as_each_picture_alone():
    start = noise((2, 3, 8, 12))
    objective = Bowl(noise((1, 3, 8, 12), 1))
    both = minimize(objective, start, steps=20, coordinates="frequencies")
    for number in range(2):
        alone = start[number : number + 1]
        alone = minimize(objective, alone, steps=20, coordinates="frequencies")
        assert torch.allclose(both.image[number], alone.image[0], atol=1e-8, rtol=0)


def test_a_stopped_run_in_frequencies_goes_on_with_the_same_bits(tmp_path):
    file, start, objective = tmp_path / "run", noise((1, 3, 8, 12)), Bowl(noise((1, 3, 8, 12), 1))
    options = {"steps": 12, "coordinates": "frequencies"}

    def stop(step: Step) -> None:
        if step.step == 5:
            raise StopIteration

    whole = minimize(objective, start, **options)
    minimize(objective, start, on_step=stop, checkpoint=file, **options)
    resumed = minimize(objective, start, checkpoint=file, **options)
    assert torch.equal(resumed.image, whole.image) and resumed.curve() == whole.curve()


def test_records_from_before_there_were_coordinates_mean_pixels():
    data = Settings(coordinates="frequencies").as_data()
    assert Settings.from_data(data).coordinates == "frequencies"
    del data["coordinates"]
    assert Settings.from_data(data).coordinates == "pixels"
