"""The page's endpoints as programs use them, over the real editor."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from conftest import LONG_WAIT, LONG_WALK, START_SECONDS, FakeEditor, stand_in_page
from gradio_client import Client, handle_file
from gradio_client.client import Job
from gradio_client.exceptions import AppError
from gradio_client.utils import Status
from PIL import Image
from synthetic_speech import speech_like

from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, PACE_BY_HAND

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.shipped
def test_the_examples_of_its_page_run(address: str, tmp_path: Path) -> None:
    readme = (ROOT / "docs" / "HTTP_API.md").read_text(encoding="utf-8").replace("http://127.0.0.1:7860", address)
    (block,) = [x for x in re.findall(r"^```python\n(.*?)^```", readme, re.M | re.S) if "gradio_client" in x]
    shown = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert shown.returncode == 0, shown.stderr
    assert "guidance 5" in shown.stdout
    ask, fetch = re.findall(r"^curl .*$", readme, re.M)
    event = json.loads(curl(ask))["event_id"]
    answer = curl(fetch.replace("EVENT_ID", event))
    assert "event: complete" in answer
    assert "before.wav" in answer


def curl(command: str) -> str:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    return subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=600, check=True).stdout


def test_a_recording_and_a_clip_are_taken(client: Client, tmp_path: Path) -> None:
    said, style = tmp_path / "said.wav", tmp_path / "style.flac"
    soundfile.write(said, speech_like(1.5, 48_000), 48_000)
    soundfile.write(style, speech_like(1.0, 22_050, voiced=False), 22_050)
    voice = client.predict(handle_file(said), api_name="/nearest_voice")
    assert voice in client.predict(api_name="/voices")
    clips = {"source": A_RECORDING, "recording": handle_file(said)}
    clips |= {"style_source": LIKE_A_CLIP, "reference": handle_file(style)}
    player = client.predict(voice=voice, steps=2, **clips, api_name="/edit")[0]
    request = json.loads(Path(player["record"]).read_text(encoding="utf-8"))["request"]
    assert (request["text"], request["recording"], request["reference"]) == ("", "recording.wav", "reference.wav")
    assert player["clips"][0]["seconds"] == pytest.approx(1.5, abs=0.05)


def test_a_recording_that_is_too_long_is_refused(client: Client, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", speech_like(31.0, 8_000), 8_000)
    with pytest.raises(AppError, match=r"^Long.wav lasts 31 seconds; the limit is 30"):
        client.predict(handle_file(tmp_path / "long.wav"), api_name="/nearest_voice")


def test_an_address_is_not_fetched(client: Client) -> None:
    address = {"path": "https://example.org/large.wav", "meta": {"_type": "gradio.FileData"}}
    for values in ({"recording": address}, {"prompt": address}):  # wherever a value may stand
        with pytest.raises(AppError, match="addresses are not fetched"):
            client.predict(**{"text": "Good morning.", "voice": "sam_a", "prompt": "calm", **values}, api_name="/edit")


def test_compare_returns_a_grid(client: Client) -> None:
    voice = client.predict(api_name="/voices")[0]
    grid = client.predict("Good morning.", "calm", voice, steps=2, kind="Speaker A/B", api_name="/compare")
    assert (grid["columns"], len(grid["cells"])) == (2, 4)
    for cell in grid["cells"]:
        assert soundfile.info(cell["audio"]).duration == pytest.approx(cell["seconds"], abs=0.01)
    first, second = (Path(cell["audio"]).read_bytes() for cell in grid["cells"][:2])
    assert first != second  # another decoder speaks


def test_what_is_set_by_hand_goes_before_the_prompt(client: Client) -> None:
    axes = client.predict("calm", api_name="/read_prompt")
    axes["set"] = {"level_db": -4.0}
    values = {"text": "Good morning.", "prompt": "calm", "voice": "sam_a", "steps": 2, "axes": axes}
    record = client.predict(**values, api_name="/edit")[0]["record"]
    assert json.loads(Path(record).read_text(encoding="utf-8"))["request"]["axes"] == {"level_db": -4.0}
    assert client.predict(handle_file(record), api_name="/open_record")[-2]["set"] == {"level_db": -4.0}
    grid = client.predict(**values, kind="Strength", api_name="/compare")
    assert "level \u22124.0 dB by hand" in grid["fixed"]
    assert [Path(cell["audio"]).name for cell in grid["cells"][1:3]] == ["strength-0.25.wav", "strength-0.5.wav"]


def test_what_is_asked_about_an_edit_is_about_the_own_one(address: str, client: Client, tmp_path: Path) -> None:
    other = Client(address, download_files=str(tmp_path), verbose=False, analytics_enabled=False)
    voice = client.predict(api_name="/voices")[0]
    for each, prompt in ((client, "calm"), (other, "sad")):
        each.predict("Good morning.", prompt, voice, steps=3, api_name="/edit")
    for each, prompt in ((client, "calm"), (other, "sad")):
        with zipfile.ZipFile(each.predict(api_name="/download")) as archive:
            assert json.loads(archive.read("edit.json"))["request"]["prompt"] == prompt
    bridge = other.predict(api_name="/bridge")
    assert len(bridge["stops"]) == 4
    assert all(soundfile.info(stop["audio"]).frames > 0 for stop in bridge["stops"])
    assert set(other.predict(api_name="/judge")) == {"heard", "kept", "voice", "missing"}
    other.close()


def test_an_opened_record_can_be_passed_to_edit(client: Client, tmp_path: Path) -> None:
    voice, other = client.predict(api_name="/voices")[:2]
    asked = {"text": "Good morning.", "prompt": "a whisper", "voice": voice, "decode_voice": other, "strength": 0.5}
    asked |= {"guidance": 2.5, "steps": 2, "pace_source": PACE_BY_HAND, "pace": 1.5, "seed": 4}
    first = client.predict(**asked, api_name="/edit")[0]
    settings = client.predict(handle_file(first["record"]), api_name="/open_record")
    again = client.predict(*settings, api_name="/edit")[0]
    assert (
        json.loads(Path(again["record"]).read_text(encoding="utf-8"))["request"].items()
        >= {name: value for name, value in asked.items() if name != "pace_source"}.items()
    )
    for one, two in zip(first["clips"], again["clips"], strict=True):
        assert Path(one["audio"]).read_bytes() == Path(two["audio"]).read_bytes()
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(AppError, match=r"^Other.json is not the record of an edit"):
        client.predict(handle_file(tmp_path / "other.json"), api_name="/open_record")


def connected(address: str, folder: Path) -> Client:
    return Client(address, download_files=str(folder), verbose=False, analytics_enabled=False)


def wait_until(happened: Callable[[], Any]) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_cancelling_ends_what_the_caller_runs_and_nothing_else(stand_in_address: str, tmp_path: Path) -> None:
    anna, ben = (connected(stand_in_address, tmp_path) for _ in range(2))

    def cancelled(running: Job, endpoint: str) -> Any:
        """What Anna's job returns once she cancelled it; that Ben did before is of no effect."""
        wait_until(lambda: running.status().progress_data)
        ben.predict(api_name=endpoint)
        time.sleep(1)  # ten steps of the stand-in
        assert not running.done()
        anna.predict(api_name=endpoint)
        return running.result(timeout=START_SECONDS / 2)  # uncancelled it takes longer

    edit = {"text": "Good morning.", "voice": "kate"}
    player, table, *_ = cancelled(anna.submit(**edit, prompt=LONG_WAIT, api_name="/edit"), "/cancel_edit")
    assert ([clip["name"] for clip in player["clips"]], table) == (["before"], None)
    assert cancelled(anna.submit(**edit, prompt=LONG_WAIT, api_name="/compare"), "/cancel_compare") is None
    anna.predict(**edit, prompt=LONG_WALK, api_name="/edit")
    assert cancelled(anna.submit(api_name="/bridge"), "/cancel_bridge") is None
    ben.predict(**edit, prompt="calm", api_name="/edit")  # whoever comes next need not wait
    anna.close(), ben.close()


def test_who_waits_for_a_turn_can_give_it_up(stand_in_address: str, tmp_path: Path) -> None:
    anna, ben = (connected(stand_in_address, tmp_path) for _ in range(2))
    edit = {"text": "Good morning.", "voice": "kate", "api_name": "/edit"}
    running = anna.submit(**edit, prompt=LONG_WAIT)
    wait_until(lambda: running.status().progress_data)
    waiting = ben.submit(**edit, prompt="calm")
    wait_until(lambda: waiting.status().code is Status.IN_QUEUE)
    waiting.cancel()
    anna.predict(api_name="/cancel_edit")
    anna.predict(**edit, prompt="calm")  # after Ben's turn, had he kept it
    with pytest.raises(AppError, match="no edit yet"):
        ben.predict(api_name="/download")
    anna.close(), ben.close()


def test_without_an_edit_there_is_nothing_to_ask_about(address: str) -> None:
    newcomer = Client(address, verbose=False, analytics_enabled=False)
    with pytest.raises(AppError, match="no edit yet"):
        newcomer.predict(api_name="/download")
    newcomer.close()


def test_eight_at_once_are_all_served_in_turn(stand_in_address: str, tmp_path: Path) -> None:
    visitors = [
        Client(
            stand_in_address,
            download_files=str(tmp_path / str(seed)),
            verbose=False,
            analytics_enabled=False,
            httpx_kwargs={"timeout": 300},  # generous: the machine may be busy with other things
        )
        for seed in range(8)
    ]
    jobs = [
        visitor.submit("Good morning.", "calm", "kate", seed=seed, api_name="/edit")
        for seed, visitor in enumerate(visitors)
    ]
    for seed, job in enumerate(jobs):
        player = job.result(timeout=300)[0]
        assert json.loads(Path(player["record"]).read_text(encoding="utf-8"))["request"]["seed"] == seed
    for visitor in visitors:
        visitor.close()


def test_nobody_edits_without_waiting_for_their_turn(address: str) -> None:
    def asked_directly(endpoint: str) -> str:
        body, headers = json.dumps({"data": []}).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/gradio_api/run/{endpoint}", body, headers)
        try:
            return urllib.request.urlopen(request, timeout=START_SECONDS).read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    assert "join the queue" in asked_directly("edit")
    assert '"data":[]' in asked_directly("cancel_edit")  # which is not to wait


def test_nobody_keeps_a_history_of_what_visitors_do(address: str) -> None:
    config = json.loads(urllib.request.urlopen(f"{address}/config", timeout=60).read())
    assert config["run_history"] is False
    for path, refused in (("/gradio_api/runs", 404), ("/monitoring", 403), ("/monitoring/summary", 403)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(address + path, timeout=60)
        assert caught.value.code == refused, path


def test_sounds_leave_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latent_edit.ui.page.HOUR", 2)
    with stand_in_page(FakeEditor) as address:
        visitor = Client(address, download_files=False, verbose=False, analytics_enabled=False)
        player = visitor.predict("Good morning.", "calm", "kate", api_name="/edit")[0]
        url = player["clips"][0]["audio"]["url"]
        assert urllib.request.urlopen(url, timeout=60).read(4) == b"RIFF"
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            try:
                urllib.request.urlopen(url, timeout=60).read()
            except urllib.error.HTTPError as error:
                assert error.code in (403, 404)
                break
            time.sleep(0.5)
        else:
            pytest.fail("the sound is still there")
        visitor.close()


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
