"""Latent optimisation: near a latent, one that the frozen decoder speaks differently in a few respects."""
