"""Corpora, styles, captions and the latents that bridges learn from."""
