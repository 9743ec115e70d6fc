"""Whether agreement about style is measured as it says."""

import itertools
import math
import time

import numpy as np
import pytest
import torch
from scipy.stats import rankdata, spearmanr
from torch import Tensor

from nstlab.distill.agreement import Agreement, agreement, gram_matrices, style_distances
from nstlab.gram import gram_matrix
from nstlab.runtime import generator

PAIRS_OF_FOUR = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def grams(count: int, channels: int, seed: int = 0) -> Tensor:
    features = torch.randn(count, channels, 5, 5, generator=generator(seed), dtype=torch.float64)
    return gram_matrix(features)


def test_grams_are_taken_picture_by_picture_whatever_their_size(tiny_encoder, photo):
    pictures = [photo, photo[..., :32, :40], photo.flip(3)]
    found = gram_matrices(tiny_encoder, pictures, ["relu2_1", "relu1_1"])
    assert list(found) == ["relu2_1", "relu1_1"]
    assert found["relu1_1"].shape == (3, 4, 4)
    assert found["relu2_1"].shape == (3, 5, 5)
    assert found["relu1_1"].dtype == torch.float32
    alone = gram_matrix(tiny_encoder(pictures[1], ["relu2_1"])["relu2_1"])
    assert torch.equal(found["relu2_1"][1:2], alone)
    assert not any(each.requires_grad for each in found.values())


def test_grams_of_half_precision_features_are_summed_in_single(tiny_encoder, photo):
    half = tiny_encoder.to(torch.bfloat16)
    (found,) = gram_matrices(half, [photo.bfloat16()], ["relu1_1"]).values()
    features = half(photo.bfloat16(), ["relu1_1"])["relu1_1"].float()
    assert found.dtype == torch.float32
    assert torch.equal(found, gram_matrix(features))
    double = tiny_encoder.to(torch.float64)
    assert gram_matrices(double, [photo.double()], ["relu1_1"])["relu1_1"].dtype == torch.float64


def test_grams_need_a_picture(tiny_encoder):
    with pytest.raises(ValueError, match="no picture to take Gram matrices of"):
        gram_matrices(tiny_encoder, [], ["relu1_1"])


def test_distances_are_those_of_all_pairs_in_order():
    some = grams(4, 3)
    expected = [(some[i] - some[j]).square().sum().item() for i, j in PAIRS_OF_FOUR]
    found = style_distances(some, normed=False)
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_normed_distances_do_not_see_the_scale_of_a_gram():
    some = grams(4, 3)
    scaled = some * torch.tensor([1.0, 10.0, 0.01, 3.0])[:, None, None]
    found = style_distances(some, normed=True)
    assert torch.allclose(style_distances(scaled, normed=True), found, rtol=1e-12, atol=0)
    units = [each / each.norm() for each in some]
    expected = [(units[i] - units[j]).square().sum().item() for i, j in PAIRS_OF_FOUR]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)
    assert not torch.allclose(style_distances(scaled, normed=False), found, rtol=0.1)


def test_a_zero_gram_stays_zero():
    some = grams(3, 2)
    some[1] = 0
    first, across, second = style_distances(some, normed=True).tolist()
    assert (first, second) == pytest.approx((1, 1), abs=1e-12)
    assert 0 < across < 4


def test_small_differences_of_single_precision_grams_are_kept():
    some = torch.full((2, 1, 1), 1000.0)
    some[1] += 2**-13
    assert style_distances(some, normed=False).item() == 2.0**-26
    some = torch.tensor([0.0, 1 + 2**-20])[:, None, None]  # its square needs 41 bits
    found = style_distances(some, normed=False).item()
    assert found == pytest.approx(1 + 2**-19 + 2**-40, rel=1e-14, abs=0)


def test_correlation_is_scipys():
    student, teacher = grams(9, 4), grams(9, 6, seed=1)
    for normed in (False, True):
        ours = style_distances(student, normed=normed).numpy()
        theirs = style_distances(teacher, normed=normed).numpy()
        expected = spearmanr(ours, theirs).statistic  # pyright: ignore[reportAttributeAccessIssue]
        found = agreement(student, teacher, normed=normed, resamples=5)
        assert found.correlation == pytest.approx(expected, abs=1e-12)


def test_the_same_order_is_one_and_the_opposite_minus_one():
    places = torch.tensor([0.0, 1.0, 3.0, 7.0, 20.0])[:, None, None]
    same = agreement(5 * places, places, normed=False)
    assert same == Agreement(1.0, 1.0, 1.0)
    three = torch.tensor([0.0, 1.0, 3.0])[:, None, None]  # distances 1, 9, 4
    other = torch.tensor([5.0, 0.0, 1.0])[:, None, None]  # distances 25, 16, 1
    swapped = torch.tensor([0.0, 6.0, 1.0])[:, None, None]  # distances 36, 1, 25
    assert agreement(three, swapped, normed=False).correlation == -1.0
    assert agreement(three, other, normed=False).correlation == -0.5


def test_what_has_nothing_to_do_with_each_other_spans_zero():
    found = agreement(grams(27, 4), grams(27, 6, seed=1), normed=True)
    assert found.low < 0 < found.high
    assert abs(found.correlation) < 0.3


def test_more_alike_means_a_higher_and_narrower_interval():
    teacher, noise = grams(27, 6), grams(27, 6, seed=1)
    near = agreement(teacher + 0.1 * noise, teacher, normed=False)
    far = agreement(teacher + 1.0 * noise, teacher, normed=False)
    assert far.low < far.correlation < far.high < near.low < near.correlation < near.high < 1
    assert near.high - near.low < far.high - far.low


def test_copies_of_a_picture_are_no_pair():
    # Pairs of a picture with its copy are 0 apart for student and teacher alike, so they would
    # pull every resample up, and the interval above the correlation itself.
    student, teacher = grams(6, 4), grams(6, 6, seed=1)
    student, teacher = student + 10 * torch.eye(4), teacher + 10 * torch.eye(6)
    found = agreement(student, teacher, normed=False, resamples=2000)
    assert found.low < found.correlation < found.high
    assert found.low < -0.4


def test_the_interval_is_that_of_a_bootstrap_written_out():
    teacher = grams(10, 6)
    student = teacher + grams(10, 6, seed=1)
    found = agreement(student, teacher, normed=False)
    random, values = np.random.default_rng(0), []
    for _ in range(1000):
        drawn = random.integers(10, size=10)
        pairs = [(i, j) for i, j in itertools.combinations(drawn, 2) if i != j]
        distances = [[(each[i] - each[j]).norm() for i, j in pairs] for each in (student, teacher)]
        values.append(np.corrcoef(rankdata(distances, axis=1))[0, 1])
    low, high = np.quantile(values, (0.025, 0.975))
    spread = float(np.std(values))
    assert found.low == pytest.approx(low, abs=0.2 * spread)
    assert found.high == pytest.approx(high, abs=0.2 * spread)


def test_the_seed_decides_the_resamples_but_not_the_correlation():
    student, teacher = grams(8, 4), grams(8, 6, seed=1)
    first = agreement(student, teacher, normed=False, resamples=50, seed=3)
    assert agreement(student, teacher, normed=False, resamples=50, seed=3) == first
    other = agreement(student, teacher, normed=False, resamples=50, seed=4)
    assert other.correlation == first.correlation
    assert other != first


def test_three_pictures_will_do():
    found = agreement(grams(3, 2), grams(3, 4, seed=1), normed=False)  # a ninth draws one thrice
    assert all(-1 <= value <= 1 for value in (found.correlation, found.low, found.high))


def test_equal_distances_have_no_rank():
    flat = torch.eye(4)[:, :, None] * torch.eye(4)[:, None, :]
    found = agreement(flat, grams(4, 3), normed=False)
    assert all(math.isnan(value) for value in (found.correlation, found.low, found.high))


def test_a_thousand_resamples_of_27_pictures_take_a_moment():
    student, teacher = grams(27, 16), grams(27, 32, seed=1)
    begun = time.perf_counter()
    agreement(student, teacher, normed=False)
    assert time.perf_counter() - begun < 5  # a fifth of a second on a free core


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="4 pictures by the student and of 5 by the teacher"):
        agreement(grams(4, 2), grams(5, 2), normed=False)
    with pytest.raises(ValueError, match="2 pictures are too few to rank; give at least 3"):
        agreement(grams(2, 2), grams(2, 2), normed=False)
    with pytest.raises(ValueError, match="resamples is 0"):
        agreement(grams(3, 2), grams(3, 2), normed=False, resamples=0)
    broken = grams(3, 2)
    broken[1, 0, 0] = math.nan
    with pytest.raises(ValueError, match="not finite"):
        agreement(grams(3, 2), broken, normed=False)
