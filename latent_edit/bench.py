"""How fast and how large the main job is on this machine: real-time factors, start-up time, peak memory, the page."""

from __future__ import annotations

import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from latent_edit.config import SHIPPED
from latent_edit.editor import LatentEditor
from latent_edit.errors import InputError
from latent_edit.recording import levelled, nearest_speaker
from latent_edit.request import EditRequest
from latent_edit.synthesis import encode_recording
from latent_edit.versions import environment

TEXT = "The old clock on the wall had stopped, and nobody in the house remembered when they had last heard it strike."
PROMPT = "calm and deep"  # an edit that has to be corrected: some are where they should be without
BREATHY_PROMPT = "soft and gentle"  # one whose formants have to be restored as well
START_UP = "from latent_edit.editor import LatentEditor; LatentEditor.load()"
APP = SHIPPED / "app.py"
PAGE_SECONDS, STOP_SECONDS = 120, 10  # without a page by then, there will be none; nor will it end by itself


@dataclass(frozen=True)
class Page:
    """What visitors of `python app.py` wait for. opens_seconds: from its start until it sends the page. models_seconds:
    from its start until it names the voices. edit_seconds: from asking for an edit until all of its sounds and pictures
    have arrived; median, after a first one.
    """

    opens_seconds: float
    models_seconds: float
    edit_seconds: float


@dataclass(frozen=True)
class Benchmark:
    """page: None without app.py beside the package. start_up_seconds: a new process until its editor is loaded.
    first_edit_seconds: in a fresh editor, libraries still to be loaded. edit_seconds: later ones, median, both clips.
    breathy_edit_seconds: one of `BREATHY_PROMPT`. stage_seconds: parts of the median edit. nearest_voice_seconds: to
    find the voice that a recording comes nearest to. recording_seconds: to find Z_audio of one as long as before.
    audio_seconds: length of before. peak_memory_bytes: of the process, highest so far.
    """

    text: str
    prompt: str
    steps: int
    runs: int
    page: Page | None
    start_up_seconds: float
    first_edit_seconds: float
    edit_seconds: float
    breathy_edit_seconds: float
    stage_seconds: dict[str, float]
    nearest_voice_seconds: float
    recording_seconds: float
    audio_seconds: float
    peak_memory_bytes: int
    environment: dict[str, Any]

    def table(self) -> str:
        """The figures in aligned columns; the real-time factor is seconds of work per second of speech (before)."""
        rows: list[tuple[str, float, float | None]] = [
            ("start-up", self.start_up_seconds, None),
            ("first edit", self.first_edit_seconds, None),
        ]
        rows += [(stage, seconds, seconds / self.audio_seconds) for stage, seconds in self.stage_seconds.items()]
        rows.append(("edit", self.edit_seconds, self.edit_seconds / self.audio_seconds))
        rows.append(("with breath", self.breathy_edit_seconds, self.breathy_edit_seconds / self.audio_seconds))
        rows.append(("nearest voice", self.nearest_voice_seconds, None))
        rows.append(("a recording", self.recording_seconds, self.recording_seconds / self.audio_seconds))
        if self.page:
            rows.append(("page opens", self.page.opens_seconds, None))
            rows.append(("page's models", self.page.models_seconds, None))
            rows.append(("edit on page", self.page.edit_seconds, self.page.edit_seconds / self.audio_seconds))
        lines = [f"{'stage':<14}{'seconds':>10}{'real-time factor':>20}"]
        lines += [f"{name:<14}{seconds:>10.3f}{'' if rtf is None else f'{rtf:.3f}':>20}" for name, seconds, rtf in rows]
        lines.append(f"{self.audio_seconds:.1f} s of speech, {self.steps} steps, ")
        lines[-1] += f"median of {self.runs}; peak memory {self.peak_memory_bytes / 2**20:.0f} MiB"
        return "\n".join(lines)


def run(runs: int) -> Benchmark:
    """Time `runs` default edits of one sentence of about six seconds. Raises InputError without an editor."""
    editor = LatentEditor.load()
    request = EditRequest(TEXT, editor.voices[0], PROMPT, method=editor.default_method)
    start = time.perf_counter()
    first = editor.edit(request)
    first_seconds = time.perf_counter() - start
    totals: list[float] = []
    stages: list[dict[str, float]] = []
    for _ in range(runs):
        totals.append(_seconds(lambda: stages.append(editor.edit(request).seconds)))
    return Benchmark(
        text=TEXT,
        prompt=PROMPT,
        steps=request.steps,
        runs=runs,
        page=_visit(request, runs) if APP.is_file() else None,
        start_up_seconds=_seconds(lambda: subprocess.run([sys.executable, "-c", START_UP], check=True)),
        first_edit_seconds=first_seconds,
        edit_seconds=statistics.median(totals),
        breathy_edit_seconds=_seconds(lambda: editor.edit(replace(request, prompt=BREATHY_PROMPT))),
        stage_seconds={name: statistics.median(each[name] for each in stages) for name in stages[0]},
        nearest_voice_seconds=_seconds(lambda: nearest_speaker(editor.vits, levelled(first.before))),
        recording_seconds=_seconds(lambda: encode_recording(editor.vits, first.before, request.voice)),
        audio_seconds=first.before.samples.shape[1] / first.before.sampling_rate,
        peak_memory_bytes=_peak_memory_bytes(),
        environment=environment(),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _visit(request: EditRequest, runs: int) -> Page:
    """Time the page with so many edits, after a first one."""
    from gradio_client import Client

    asked = {"text": request.text, "prompt": request.prompt, "voice": request.voice, "method": request.method}
    # Files are fetched as by a browser; the client makes a TLS context for each, which takes longer than the file.
    options: dict[str, Any] = {"download_files": False, "verbose": False, "analytics_enabled": False}
    start = time.perf_counter()
    with _serve() as address:
        opens_seconds = time.perf_counter() - start
        client = Client(address, httpx_kwargs={"timeout": PAGE_SECONDS}, **options)
        client.predict(api_name="/voices")
        models_seconds = time.perf_counter() - start
        edits: list[float] = []
        for _ in range(1 + runs):
            start = time.perf_counter()
            _fetch(client.predict(**asked, api_name="/edit"))
            edits.append(time.perf_counter() - start)
        client.close()
    return Page(opens_seconds, models_seconds, statistics.median(edits[1:]))


def _fetch(answer: Any) -> None:
    """Read every file that an answer of the page names."""
    if isinstance(answer, dict) and "url" in answer:
        urllib.request.urlopen(answer["url"], timeout=PAGE_SECONDS).read()
    elif isinstance(answer, dict | list | tuple):
        for part in answer.values() if isinstance(answer, dict) else answer:
            _fetch(part)


@contextmanager
def _serve() -> Iterator[str]:
    """Address of a page that was started for this and has been sent once. Raises InputError when it is not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, give_up = f"http://127.0.0.1:{port}", time.monotonic() + PAGE_SECONDS
    command = [sys.executable, str(APP), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, cwd=APP.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > give_up:
                raise InputError("no page came; see what python app.py says")
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()  # it clears away what it has made
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=PAGE_SECONDS).read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
