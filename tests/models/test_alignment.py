"""Monotonic alignment search against a search through every path, and what is built on durations."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from latent_edit.models.alignment import expand, length_mask, prior_log_likelihood, search_durations, whole_frames


def best_durations(likelihood: Tensor) -> tuple[list[int], float]:
    """By trying every monotonic path through [T, P] that gives each phoneme a frame."""
    frames, phonemes = likelihood.shape
    best, best_score = [], -np.inf
    for cuts in combinations(range(1, frames), phonemes - 1):
        ends = [0, *cuts, frames]
        durations = np.diff(ends).tolist()
        score = sum(float(likelihood[ends[p] : ends[p + 1], p].sum()) for p in range(phonemes))
        if score > best_score:
            best, best_score = durations, score
    return best, best_score


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 2**31))
def test_the_most_likely_path_is_found(phonemes: int, more: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    likelihood = 10 * torch.randn(phonemes + more, phonemes, generator=generator)
    frames = likelihood.shape[0]
    found = search_durations(likelihood[None], torch.ones(1, 1, frames), torch.ones(1, 1, phonemes))
    assert found.dtype == torch.int64
    assert found[0].tolist() == best_durations(likelihood)[0]


def test_items_of_a_batch_are_searched_on_their_own_lengths() -> None:
    likelihood = torch.randn(3, 9, 4, generator=torch.Generator().manual_seed(1))
    frames, phonemes = torch.tensor([9, 6, 4]), torch.tensor([3, 4, 4])
    together = search_durations(likelihood, length_mask(frames), length_mask(phonemes))
    assert together.sum(1).tolist() == [9, 6, 4]
    for item, (length, count) in enumerate(zip(frames.tolist(), phonemes.tolist(), strict=True)):
        assert together[item, :count].tolist() == best_durations(likelihood[item, :length, :count])[0]
        assert (together[item, count:] == 0).all()
        assert (together[item, :count] > 0).all()


def test_a_clear_alignment_is_recovered() -> None:
    durations = torch.tensor([[3, 1, 5, 2]])
    means = torch.tensor([[[0.0, 4.0, -4.0, 8.0]]])
    frames = expand(means, durations) + 0.1
    likelihood = prior_log_likelihood(frames, means, torch.zeros_like(means))
    assert torch.equal(search_durations(likelihood, torch.ones(1, 1, 11), torch.ones(1, 1, 4)), durations)


def test_the_likelihood_is_that_of_a_normal_distribution() -> None:
    generator = torch.Generator().manual_seed(0)
    frames, mean, log_deviation = (torch.randn(2, 6, n, generator=generator).double() for n in (7, 4, 4))
    normal = torch.distributions.Normal(mean[:, :, None], log_deviation.exp()[:, :, None])
    expected = normal.log_prob(frames[:, :, :, None]).sum(1)
    assert torch.allclose(prior_log_likelihood(frames, mean, log_deviation), expected, atol=1e-10)


def test_expand_repeats_each_phoneme_for_its_frames() -> None:
    values = torch.tensor([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]])
    durations = torch.tensor([[2, 0, 3], [1, 1, 0]])
    assert expand(values, durations).tolist() == [[[1, 1, 3, 3, 3]], [[4, 5, 0, 0, 0]]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8).filter(any), st.integers(0, 2**31))
def test_expand_is_repeat_interleave(durations: list[int], seed: int) -> None:
    values = torch.randn(1, 3, len(durations), generator=torch.Generator().manual_seed(seed))
    expected = values[0].repeat_interleave(torch.tensor(durations), dim=1)
    assert torch.equal(expand(values, torch.tensor([durations]))[0], expected)


def test_gradients_flow_through_expand() -> None:
    """Training needs them: the prior learns through the frames that it was repeated for."""
    values = torch.zeros(1, 1, 3, requires_grad=True)
    expand(values, torch.tensor([[2, 0, 3]])).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [[[2, 0, 3]]]


def test_length_mask() -> None:
    assert length_mask(torch.tensor([2, 0, 3])).tolist() == [[[1, 1, 0]], [[0, 0, 0]], [[1, 1, 1]]]
    assert length_mask(torch.tensor([1]), 3).tolist() == [[[1, 0, 0]]]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=30))
def test_whole_frames_do_not_drift(durations: list[float]) -> None:
    exact = torch.tensor(durations, dtype=torch.float64)
    whole = whole_frames(exact)
    assert whole.dtype == torch.int64
    assert (whole >= 0).all()
    assert (whole.cumsum(0) - exact.cumsum(0)).abs().max() <= 0.5 + 1e-9
    assert torch.equal(whole_frames(whole), whole)
