"""A stand-in for LatentEditor that hums, a server of the real page over the real editor, and a browser for both."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from visits import DESK, Visit, written_clip

from latent_edit import checkpoint
from latent_edit.audio import shared_gain
from latent_edit.errors import InputError
from latent_edit.measures import measure
from latent_edit.prompts.reader import read_prompt
from latent_edit.prompts.reading import PromptReading
from latent_edit.request import EditRequest, choose
from latent_edit.result import EditResult, TimedPhoneme
from latent_edit.synthesis import Synthesis
from latent_edit.types import Latent, Waveform

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300  # generous: the machine may be busy with other things
RATE, HOP, CHANNELS = 16_000, 256, 96
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]
QUIET += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


# Prompts with which the stand-in takes long: for an edit until it is cancelled or for a moment, or along the bridge.
LONG_WAIT, MOMENT, LONG_WALK = "in no hurry at all", "after a moment", "a long walk"
QUIETLY = "half as loud"  # a prompt for which it hums 6 dB softer than for any other
BROKEN = "a broken bridge"  # a prompt with which it fails after the plain reading


class FakeEditor:
    """Length follows the text, pitch rises with the strength; of all words only "blorp" is unknown."""

    def __init__(self) -> None:
        self.voices = ["sam_a", "sam_b", "lj", "kate"]
        self.methods = {"i2sb": "a bridge", "palette": "from noise"}
        self.default_method = "i2sb"
        self.reads_english = True

    def edit(self, request: EditRequest, progress: Callable[[str, float], None] | None = None) -> EditResult:
        """Like LatentEditor.edit."""
        *_, result = self.edit_in_parts(request, progress)
        assert isinstance(result, EditResult)
        return result

    def along_the_bridge(
        self, request: EditRequest, progress: Callable[[str, float], None] | None = None
    ) -> dict[int, Synthesis]:
        """Like LatentEditor.along_the_bridge."""
        result = self.edit(request, progress)
        wait(START_SECONDS if request.prompt == LONG_WALK else 0, progress)
        stops = {}
        for steps in range(request.steps + 1):
            moved = result.z_source.z + steps / request.steps * (result.z_edit.z - result.z_source.z)
            latent = Latent(moved, result.z_source.mask)
            stops[steps] = Synthesis(latent, result.after, result.phonemes_after, (), ())
        return stops

    def read_prompt(self, prompt: str) -> PromptReading:
        """Like LatentEditor.read_prompt."""
        return read_prompt(prompt)

    def nearest_voice(self, _: Path) -> str:
        """Like LatentEditor.nearest_voice, and slowly."""
        time.sleep(1)
        return "lj"

    def edit_in_parts(
        self, request: EditRequest, progress: Callable[[str, float], None] | None = None
    ) -> Iterator[Synthesis | EditResult]:
        """Like LatentEditor.edit_in_parts."""
        choose("voice", request.voice, self.voices)
        said = request.text or "As it was recorded."
        if not any(letter.isalpha() for letter in said):
            raise InputError(f"nothing in {request.text!r} can be pronounced; write words")

        def stage(words: str, share: float) -> None:
            if progress:
                progress(words, share)

        stage("reading the text", 0.1)
        symbols = [letter for letter in said.lower() if letter.isalpha()]
        frames = 5 * len(symbols)
        stretched = round(frames * (request.pace or 1.25))
        known = request.recording is None  # of a recording it is not known what is said
        generator = torch.Generator().manual_seed(request.seed)
        z_text, z_source = smooth_latent(frames, generator), smooth_latent(stretched, generator)
        z_edit = Latent(z_source.z + request.strength * smooth_latent(stretched, generator).z, z_source.mask)
        peak = 0.35 if request.prompt == QUIETLY else 0.7
        before, after = hum(frames, 110.0, 0.2), hum(stretched, 110.0 * 2 ** (request.strength * 5 / 12), peak)
        phonemes = timed(symbols, 5 * HOP / RATE) if known else ()
        yield Synthesis(z_text, Waveform.of(before, RATE), phonemes, (), ())
        stage("sampling the bridge", 0.4)
        if request.prompt == BROKEN:
            raise InputError("the edit ran out of the range of numbers")
        wait({LONG_WAIT: START_SECONDS, MOMENT: 1.5}.get(request.prompt, 0), progress)
        stage("speaking it in the style", 0.8)
        yield EditResult(
            request=request,
            z_text=z_text,
            z_source=z_source,
            z_edit=z_edit,
            phonemes_before=phonemes,
            phonemes_after=timed(symbols, stretched * HOP / RATE / len(symbols)) if known else (),
            before=Waveform.of(before, RATE),
            after=Waveform.of(after, RATE),
            gain=shared_gain(before.numpy(), after.numpy()),
            measurements_before=measure(before.numpy(), RATE, len(symbols)),
            measurements_after=measure(after.numpy(), RATE, len(symbols)),
            style_similarity_before=0.12,
            style_similarity_after=0.48,
            unknown_words=tuple(word for word in request.prompt.split() if word == "blorp"),
            dropped_symbols=(),
            notes=(),
            log_duration_ratio=math.log(stretched / frames),
            seconds={"all": 1.2},
            provenance={"fake": True},
            recording=None if known else Waveform.of(before / 4, RATE),
        )


def wait(seconds: float, progress: Callable[[str, float], None] | None) -> None:
    """Work for so long, unless cancelled."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        time.sleep(0.1)
        if progress:
            progress("sampling the bridge", 0.5)


def smooth_latent(frames: int, generator: torch.Generator) -> Latent:
    """Random [1, C, T] that changes slowly, as speech does."""
    noise = torch.randn(1, CHANNELS, frames, generator=generator)
    return Latent(torch.nn.functional.avg_pool1d(noise, 5, 1, 2) * 2.2, torch.ones(1, 1, frames))


def hum(frames: int, hertz: float, level: float) -> torch.Tensor:
    """Syllables of a buzzing tone, [frames * HOP]."""
    seconds = torch.arange(frames * HOP) / RATE
    melody = hertz * (1 + 0.08 * torch.sin(2 * math.pi * 0.7 * seconds))
    phase = 2 * math.pi * torch.cumsum(melody, 0) / RATE
    tone = sum(torch.sin(k * phase) / k for k in range(1, 12))
    syllables = torch.sin(math.pi * 2.2 * seconds).abs() ** 0.7 * (0.6 + 0.4 * torch.sin(2 * math.pi * 0.33 * seconds))
    return level * tone * syllables  # type: ignore[return-value]


def timed(symbols: list[str], each: float) -> tuple[TimedPhoneme, ...]:
    """Symbols of equal length, one after the other."""
    return tuple(TimedPhoneme(s, i * each, (i + 1) * each) for i, s in enumerate(symbols))


@pytest.fixture
def fake_editor() -> FakeEditor:
    """An editor without models."""
    return FakeEditor()


@pytest.fixture(scope="module")
def stand_in_address() -> Iterator[str]:
    """Address of the page over the stand-in."""
    with stand_in_page(FakeEditor) as address:
        yield address


@contextmanager
def stand_in_page(load: Callable[[], FakeEditor]) -> Iterator[str]:
    """Address of the page over what `load` returns, in this process, with the queue of `python app.py`."""
    from app import parse_arguments
    from latent_edit.ui import look
    from latent_edit.ui.loading import EditorLoader
    from latent_edit.ui.page import build_page

    loader = EditorLoader(load)  # type: ignore[arg-type]
    loader.start()
    page = build_page(loader, ["Good morning to you.", "It rains."])
    page.queue(max_size=parse_arguments([]).max_queue)
    _, address, _ = page.launch(
        prevent_thread_lock=True, quiet=True, run_history=False, footer_links=[], ssr_mode=False, theme=look.theme(),
        css=look.stylesheet(), head=look.HEAD,
    )  # fmt: skip
    try:
        yield address.rstrip("/")
    finally:
        page.close()


@pytest.fixture(scope="session")
def result() -> EditResult:
    """A result of the stand-in whose after is longer and louder than its before."""
    return FakeEditor().edit(EditRequest("Good morning to you.", "sam_a", 'a <b>"blorp"</b> blorp', seed=3))


@pytest.fixture(scope="session")
def checkpoint_root(request: pytest.FixtureRequest) -> Path:
    """The shipped weights, or small random ones where none are shipped."""
    shipped = checkpoint.default_root()
    return shipped if (shipped / checkpoint.MANIFEST_NAME).is_file() else request.getfixturevalue("tiny_root")


@pytest.fixture(scope="session")
def address(checkpoint_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of `python app.py` over these weights."""
    with app_process(checkpoint_root, tmp_path_factory.mktemp("app") / "log") as address:
        yield address


@contextmanager
def app_process(checkpoint_root: Path, log: Path, *flags: str, **variables: str) -> Iterator[str]:
    """Address of `python app.py`, on the port of gradio's own variable; what it says goes into a file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "LATENT_EDIT_CHECKPOINTS": str(checkpoint_root), "HF_HUB_OFFLINE": "1"}
    environment |= {"GRADIO_SERVER_PORT": str(port), **variables}
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "app.py", *flags], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(server, address, log)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def wait_for(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"app.py ended with {server.returncode}: {log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(address, timeout=30).read()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    pytest.fail("app.py did not answer in time")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose microphone hears speech, again and again; tests that need one are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-dev.txt)")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        spoken = written_clip(tmp_path_factory.mktemp("microphone"), 4.0)
        microphone = f"--use-file-for-fake-audio-capture={spoken}"
        browser = started.chromium.launch(executable_path=found, args=[*QUIET, microphone])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit to the page over the real editor."""
    visit = Visit(chromium, address, getattr(request, "param", DESK))
    yield visit
    visit.context.close()
    assert visit.problems == []


@pytest.fixture
def stand_in(chromium: Any, stand_in_address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit to the page over the stand-in, which can be slow."""
    visit = Visit(chromium, stand_in_address, getattr(request, "param", DESK))
    yield visit
    visit.context.close()
    assert visit.problems == []
