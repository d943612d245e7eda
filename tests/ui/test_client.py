"""The page's endpoints as programs use them, over the real editor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image


@pytest.fixture(scope="module")
def client(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("client")
    client = Client(address, download_files=str(folder), verbose=False, analytics_enabled=False)
    yield client
    client.close()


def test_edit_returns_files_numbers_and_notes(client: Client) -> None:
    voice = client.predict(api_name="/voices")[0]
    player, table, heatmaps, notes = client.predict("Good morning.", "a whisper", voice, seed=4, api_name="/edit")
    for clip in player["clips"]:
        assert soundfile.info(clip["audio"]).duration == pytest.approx(clip["seconds"], abs=0.01)
    request = json.loads(Path(player["record"]).read_text(encoding="utf-8"))["request"]
    assert (request["text"], request["prompt"]) == ("Good morning.", "a whisper")
    assert (request["voice"], request["decode_voice"], request["seed"]) == (voice, None, 4)
    assert {row["name"] for row in table["rows"]} >= {"Pitch", "Level", "Match"}
    for picture in heatmaps["pictures"]:
        with Image.open(picture["image"]) as image:
            assert min(image.size) > 1
    assert "Seed 4" in notes


def test_methods_are_explained(client: Client) -> None:
    methods = client.predict(api_name="/methods")
    assert "i2sb" in methods
    assert all(methods.values())


def test_the_same_seed_gives_the_same_sound_and_another_seed_another(client: Client) -> None:
    voice = client.predict(api_name="/voices")[0]

    def after(seed: int) -> bytes:
        player = client.predict("Good morning.", "calm", voice, seed=seed, api_name="/edit")[0]
        return Path(player["clips"][1]["audio"]).read_bytes()

    assert after(1) == after(1)
    assert after(1) != after(2)


def test_errors_say_what_to_do(client: Client) -> None:
    with pytest.raises(AppError, match="no voice"):
        client.predict("Good morning.", "calm", "nobody", api_name="/edit")
