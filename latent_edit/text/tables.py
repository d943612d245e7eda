"""What text normalisation knows word by word, from `presets/text.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from latent_edit.config import PRESETS, read_yaml


@lru_cache(maxsize=1)
def tables() -> dict[str, Any]:
    """All tables by name."""
    return dict(read_yaml(PRESETS / "text.yaml"))


def table(name: str) -> dict[str, Any]:
    """A table of words and what they stand for."""
    return dict(tables()[name])


@cache
def words(name: str) -> frozenset[str]:
    """The words of a table or list."""
    content = tables()[name]
    return frozenset(content.split() if isinstance(content, str) else content)


def any_of(entries: Iterable[str]) -> str:
    """A regular expression for any of these, the longest first."""
    return "(?:" + "|".join(re.escape(entry) for entry in sorted(entries, key=len, reverse=True)) + ")"
