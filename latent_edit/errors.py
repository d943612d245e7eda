"""Errors meant for people: one line that says what was wrong, which value, and what to do."""


class InputError(ValueError):
    """Something a person gave (text, file, option) cannot be used. Shown as it is in the page and the command line."""


class CheckpointError(InputError):
    """A checkpoint is missing, damaged, or does not belong to the voice or CLAP it is used with."""
