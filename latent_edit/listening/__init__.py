"""Listening tests: from a study file to clips, a blind page, answers that cannot be lost, and statistics."""
