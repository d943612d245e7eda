"""A tiny embedded voice for the tests of this room."""

from __future__ import annotations

import pytest
from tiny_voices import tiny_voice

from latent_edit.models.embedded_vits import save_voice
from latent_edit.models.vits import FrozenVits


@pytest.fixture(scope="session")
def vits(tmp_path_factory: pytest.TempPathFactory) -> FrozenVits:
    folder = tmp_path_factory.mktemp("voice")
    save_voice(tiny_voice(2), folder)
    return FrozenVits.load(folder)
