"""Linear probes and comparisons of representations: what can be read from frames, and how alike two sets of them are.

Everything is cross-fitted: nothing is judged by a probe that has seen the same sentence (or actor). A probe says what
is there linearly, not what a decoder uses (Belinkov 2022, Computational Linguistics 48(1)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np

from latent_edit.evaluation.statistics import Estimate, Observation, estimate, estimate_of

FOLDS = 5
ALPHAS = 10.0 ** np.arange(-1, 7)  # ridge penalties on standardised features, chosen by leave-one-out
INVERSE_PENALTY = 0.1  # C of the logistic regression on standardised features
LARGEST_FIT = 8000  # frames that a classifier learns from: neighbours are alike
WHITENING = 1e-3  # of the mean variance, added to each covariance

Clusters = Sequence[tuple[str, str]]  # sentence and voice of each item


def cross_fitted(groups: np.ndarray, folds: int = FOLDS) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices to fit on and to judge, so that each of `groups` [N] is on one side only."""
    from sklearn.model_selection import GroupKFold

    yield from GroupKFold(min(folds, len(np.unique(groups)))).split(groups, groups=groups)


def read_values(
    features: np.ndarray, targets: np.ndarray, groups: np.ndarray, alphas: np.ndarray = ALPHAS
) -> np.ndarray:
    """Targets [N, K] as ridge regressions read them from features [N, D], cross-fitted over groups [N]."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(alphas, alpha_per_target=targets.shape[1] > 1))
    found = np.zeros(targets.shape)
    for fit, judged in cross_fitted(groups):
        found[judged] = model.fit(features[fit], targets[fit]).predict(features[judged]).reshape(-1, targets.shape[1])
    return found


def read_classes(features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Labels [N] as logistic regressions read them from features [N, D], cross-fitted over groups [N]."""
    found = np.empty_like(labels)
    for fit, judged in cross_fitted(groups):
        found[judged] = classifier(features[fit], labels[fit]).predict(features[judged])
    return found


def classifier(features: np.ndarray, labels: np.ndarray) -> Any:
    """A logistic regression on standardised features [N, D] in which all labels [N] count alike."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    step = -(-len(labels) // LARGEST_FIT)
    model = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=1000)
    return make_pipeline(StandardScaler(), model).fit(features[::step], labels[::step])


def explained(targets: np.ndarray, read: np.ndarray, clusters: Clusters) -> Estimate:
    """R2: the share of the variance of targets [N, K] that `read` [N, K] explains; below 0, worse than the mean."""
    total = np.square(targets - targets.mean(axis=0)).sum(axis=1)
    left = np.square(targets - read).sum(axis=1)
    return _ratio(total - left, total, clusters)


def balanced_accuracy(labels: np.ndarray, read: np.ndarray, clusters: Clusters) -> Estimate:
    """Share of labels [N] that were read right; every class counts alike, so that chance is one over their number."""
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / counts[place]
    return _ratio(weights * (labels == read), weights, clusters)


def share(hits: np.ndarray, clusters: Clusters) -> Estimate:
    """Share of items [N] for which something holds."""
    return _ratio(hits.astype(float), np.ones(len(hits)), clusters)


def _ratio(values: np.ndarray, weights: np.ndarray, clusters: Clusters) -> Estimate:
    """`estimate` of a ratio of sums over very many items: those of one cluster are added up first."""
    sums: dict[tuple[str, str], list[float]] = {}
    for cluster, value, weight in zip(clusters, values.tolist(), weights.tolist(), strict=True):
        own = sums.setdefault(cluster, [0.0, 0.0])
        own[0] += value
        own[1] += weight
    return estimate([Observation(value, *cluster, weight) for cluster, (value, weight) in sums.items()])


def canonical_correlation(
    one: np.ndarray, other: np.ndarray, clusters: Clusters, leading: int
) -> tuple[Estimate, Estimate, np.ndarray]:
    """Canonical correlations of frames [N, D] and [N, E] on sentences that the fit has not seen.

    Returns the mean of all, that of the `leading` first, and each by itself.

    CCA (Hotelling 1936, Biometrika 28) fitted on half of the sentences and judged on the others, both ways. What the
    two have in common by chance is 0 in expectation, whatever D is.
    """
    groups = np.array([sentence for sentence, _ in clusters])
    size = min(one.shape[1], other.shape[1])
    variates = np.zeros((2, len(one), size))
    for fit, judged in cross_fitted(groups, 2):
        bases = _canonical_bases(one[fit], other[fit])
        for side, (frames, basis) in enumerate(zip((one, other), bases, strict=True)):
            variates[side, judged] = (frames[judged] - frames[fit].mean(axis=0)) @ basis
    u, v = variates
    names, position = _grouped(clusters)
    moments = np.stack([_sums(position, len(names), x) for x in (u, v, u * u, v * v, u * v)])  # [5, S, size]
    frames_of = np.bincount(position)

    def correlations(counts: np.ndarray) -> np.ndarray:
        n = (counts @ frames_of)[:, None]
        mean_u, mean_v, square_u, square_v, product = (counts @ moment / np.maximum(n, 1) for moment in moments)
        spread = np.sqrt((square_u - mean_u**2) * (square_v - mean_v**2))
        return np.where(n > 0, (product - mean_u * mean_v) / np.maximum(spread, 1e-12), np.nan)

    every = estimate_of(lambda counts: correlations(counts).mean(axis=1), names)
    first = estimate_of(lambda counts: correlations(counts)[:, :leading].mean(axis=1), names)
    return every, first, correlations(np.ones((1, len(names))))[0]


def _canonical_bases(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What takes centred frames to their canonical variates, [D, K] and [E, K]."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    whitened = []
    for frames in (one, other):
        covariance = frames.T @ frames / len(frames)
        covariance += WHITENING * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        values, vectors = np.linalg.eigh(covariance)
        whitened.append(vectors / np.sqrt(values) @ vectors.T)
    left, _, right = np.linalg.svd(whitened[0] @ (one.T @ other / len(one)) @ whitened[1], full_matrices=False)
    return whitened[0] @ left, whitened[1] @ right.T


def linear_cka(one: np.ndarray, other: np.ndarray, clusters: Clusters) -> Estimate:
    """Linear centred kernel alignment of frames [N, D] and [N, E], 0 to 1 (Kornblith et al. 2019, arXiv 1905.00414)."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    names, position = _grouped(clusters)

    def gram(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Squared Frobenius norm of a weighted sum of the sentences' cross products, as a quadratic form [S, S]."""
        products = np.stack([(left[position == s].T @ right[position == s]).ravel() for s in range(len(names))])
        return products @ products.T

    cross, own, others = gram(one, other), gram(one, one), gram(other, other)

    def alignment(counts: np.ndarray) -> np.ndarray:
        norms = [np.einsum("rs,st,rt->r", counts, form, counts, optimize=True) for form in (cross, own, others)]
        return np.where(norms[1] * norms[2] > 0, norms[0] / np.sqrt(np.maximum(norms[1] * norms[2], 1e-30)), np.nan)

    return estimate_of(alignment, names)


def variance_shares(latents: np.ndarray, factors: Mapping[str, np.ndarray], clusters: Clusters) -> dict[str, Estimate]:
    """How the variance of latents [N, C], summed over channels, divides among factors [N, K], and what is left.

    Each factor has the R2 that it adds to a linear regression, averaged over all orders in which factors may be added
    (Lindeman, Merenda & Gold 1980; the Shapley value), on sentences that the regression has not seen. So what factors
    share is divided evenly, and the shares add up to one.
    """
    groups = np.array([sentence for sentence, _ in clusters])
    total = np.square(latents - latents.mean(axis=0)).sum(axis=1)
    gained: dict[frozenset[str], np.ndarray] = {frozenset(): np.zeros(len(latents))}
    for size in range(1, len(factors) + 1):
        for names in combinations(factors, size):
            read = _least_squares(np.concatenate([factors[name] for name in names], axis=1), latents, groups)
            gained[frozenset(names)] = total - np.square(latents - read).sum(axis=1)
    shares = {name: np.zeros(len(latents)) for name in factors}
    for name in factors:
        for before in [names for names in gained if name not in names]:
            weight = factorial(len(before)) * factorial(len(factors) - len(before) - 1) / factorial(len(factors))
            shares[name] += weight * (gained[before | {name}] - gained[before])
    shares["rest"] = total - gained[frozenset(factors)]
    return {name: _ratio(share, total, clusters) for name, share in shares.items()}


def _least_squares(features: np.ndarray, targets: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Targets [N, K] read from features [N, D], cross-fitted. The penalty only makes one-hot features solvable."""
    found = np.zeros(targets.shape)
    for fit, judged in cross_fitted(groups):
        offset, level = features[fit].mean(axis=0), targets[fit].mean(axis=0)
        own = features[fit] - offset
        weights = np.linalg.solve(own.T @ own + np.eye(own.shape[1]), own.T @ (targets[fit] - level))
        found[judged] = level + (features[judged] - offset) @ weights
    return found


def unit(vector: np.ndarray) -> np.ndarray:
    """A vector [D] at length 1; zero stays."""
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def orthogonal_to(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Vectors [M, D] without what lies in the span of others [K, D]."""
    _, sizes, basis = np.linalg.svd(others, full_matrices=False)
    basis = basis[sizes > 1e-9 * max(sizes.max(initial=0.0), 1e-30)]
    return vectors - vectors @ basis.T @ basis


def _grouped(clusters: Clusters) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Every cluster once, and which of them each item belongs to, [N]."""
    places: dict[tuple[str, str], int] = {}
    position = np.array([places.setdefault(cluster, len(places)) for cluster in clusters])
    return list(places), position


def _sums(position: np.ndarray, count: int, values: np.ndarray) -> np.ndarray:
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, position, values)
    return sums
