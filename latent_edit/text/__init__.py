"""Text normalisation: what people type to the words that a voice reads. `normalise` is its one function."""

from latent_edit.text.normalise import NormalisedText, normalise

__all__ = ["NormalisedText", "normalise"]
