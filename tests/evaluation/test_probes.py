"""Probes and comparisons against representations whose content is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from latent_edit.evaluation.latents import probes

SENTENCES, FRAMES, CHANNELS = 20, 40, 8
CLUSTERS = [(f"s{s}", "v") for s in range(SENTENCES) for _ in range(FRAMES)]
GROUPS = np.array([sentence for sentence, _ in CLUSTERS])


def noise(seed: int, columns: int = CHANNELS) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((len(CLUSTERS), columns))


def test_a_planted_direction_is_found_and_noise_holds_none() -> None:
    frames, direction = noise(0), np.arange(1.0, CHANNELS + 1)
    value = (frames @ direction)[:, None]
    label = np.where(frames @ direction > 0, "high", "low")
    found = probes.explained(value, probes.read_values(frames, value, GROUPS), CLUSTERS)
    assert found.value == pytest.approx(1.0, abs=0.01)
    right = probes.balanced_accuracy(label, probes.read_classes(frames, label, GROUPS), CLUSTERS)
    assert right.value is not None and right.value > 0.95
    nothing = probes.explained(value, probes.read_values(noise(1), value, GROUPS), CLUSTERS)
    assert nothing.value is not None and nothing.value < 0.02
    chance = probes.balanced_accuracy(label, probes.read_classes(noise(1), label, GROUPS), CLUSTERS)
    assert chance.value == pytest.approx(0.5, abs=0.06)


def test_what_a_sentence_alone_tells_is_not_found() -> None:
    """Every sentence has a value of its own and frames that give the sentence away: unseen ones stay unknown."""
    own = {sentence: np.random.default_rng(n).standard_normal(CHANNELS + 1) for n, sentence in enumerate(set(GROUPS))}
    frames = np.array([own[s][:CHANNELS] for s in GROUPS]) + 0.01 * noise(2)
    value = np.array([own[s][CHANNELS:] for s in GROUPS])
    found = probes.explained(value, probes.read_values(frames, value, GROUPS), CLUSTERS)
    assert found.value is not None and found.value < 0.2


def test_a_rare_class_counts_as_much_as_a_frequent_one() -> None:
    labels = np.array(["a"] * 90 + ["b"] * 10)
    clusters = [(str(n), "v") for n in range(100)]
    assert probes.balanced_accuracy(labels, np.array(["a"] * 100), clusters).value == pytest.approx(0.5)


def test_a_rotated_copy_is_the_same_and_noise_is_not() -> None:
    frames = noise(3) * np.arange(1, CHANNELS + 1)
    rotation, _ = np.linalg.qr(np.random.default_rng(4).standard_normal((CHANNELS, CHANNELS)))
    mean, leading, each = probes.canonical_correlation(frames, frames @ rotation + 5.0, CLUSTERS, 3)
    assert mean.value == pytest.approx(1.0, abs=1e-2) and leading.value == pytest.approx(1.0, abs=1e-2)
    assert each.shape == (CHANNELS,)
    assert probes.linear_cka(frames, frames @ rotation + 5.0, CLUSTERS).value == pytest.approx(1.0)
    apart, _, _ = probes.canonical_correlation(frames, noise(5), CLUSTERS, 3)
    assert apart.value == pytest.approx(0.0, abs=0.06)
    assert (probes.linear_cka(frames, noise(5), CLUSTERS).value or 0.0) < 0.05


def test_two_of_eight_shared_directions_are_counted_as_two() -> None:
    one, other = noise(6), noise(7)
    other[:, :2] = one[:, :2]
    mean, leading, each = probes.canonical_correlation(one, other, CLUSTERS, 2)
    assert (each > 0.9).sum() == 2
    assert mean.value == pytest.approx(0.25, abs=0.05) and leading.value == pytest.approx(1.0, abs=0.02)
    assert mean.low is not None and mean.low <= 0.25 + 0.05 and mean.high is not None and mean.high >= 0.25 - 0.05


def test_shares_of_the_variance_are_those_that_were_mixed() -> None:
    """5 parts of one factor, 3 of another, 2 of noise; a third factor has no part."""
    factors = {name: noise(seed, 2) for name, seed in (("five", 8), ("three", 9), ("none", 10))}
    mixing = np.random.default_rng(11)
    parts = [np.sqrt(5) * factors["five"], np.sqrt(3) * factors["three"], np.sqrt(2) * noise(12, 2)]
    rotations = [np.linalg.qr(mixing.standard_normal((CHANNELS, 2)))[0].T for _ in parts]
    latents = sum(part @ rotation for part, rotation in zip(parts, rotations, strict=True))
    shares = probes.variance_shares(latents, factors, CLUSTERS)
    found = {name: share.value for name, share in shares.items()}
    assert found == pytest.approx({"five": 0.5, "three": 0.3, "none": 0.0, "rest": 0.2}, abs=0.06)
    assert sum(value or 0.0 for value in found.values()) == pytest.approx(1.0)


def test_what_two_factors_share_is_divided_evenly() -> None:
    factor = noise(13, 2)
    shares = probes.variance_shares(factor @ noise(14)[:2], {"one": factor, "same": factor.copy()}, CLUSTERS)
    assert shares["one"].value == pytest.approx(0.5, abs=0.01) and shares["same"].value == pytest.approx(0.5, abs=0.01)


def test_an_orthogonal_direction_does_not_leak() -> None:
    vectors, others = np.random.default_rng(15).standard_normal((2, 3, CHANNELS))
    apart = probes.orthogonal_to(vectors, others)
    assert np.abs(apart @ others.T).max() < 1e-9
    assert np.allclose(probes.orthogonal_to(apart, others), apart)
    assert np.allclose(probes.orthogonal_to(others, others), 0)
    assert np.allclose(probes.orthogonal_to(vectors, np.zeros((1, CHANNELS))), vectors)
