"""A small study of every test type over synthetic clips, and a participant who answers through the interface."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import yaml

from latent_edit import audio
from latent_edit.listening.render import render
from latent_edit.listening.study import Study, load_study

ROOT = Path(__file__).resolve().parents[1]
RATE = 16_000
START_SECONDS = 180  # generous: the machine may be busy with other things
PASSWORD = "quite a long password"
# Names that no page has by chance.
PLAIN, EDITED, OTHER, LOW = "zzplain", "zzedited", "zzother", "zzlow"
BLOCKS: list[dict[str, Any]] = [
    {"id": "blk-ab", "test": "ab", "conditions": [PLAIN, EDITED], "repeats": 1, "trials": 2, "comment": True,
     "training": [{"item": "qqitem1", "conditions": [PLAIN, EDITED]}],
     "catch": [{"item": "qqitem2", "conditions": [PLAIN, EDITED], "choice": EDITED}]},
    {"id": "blk-abx", "test": "abx", "conditions": [PLAIN, EDITED], "trials": 1},
    {"id": "blk-ccr", "test": "ccr", "conditions": [PLAIN, EDITED], "trials": 1},
    {"id": "blk-mos", "test": "mos", "conditions": [PLAIN, EDITED], "design": "latin_square", "trials": 2},
    {"id": "blk-smos", "test": "smos", "conditions": [EDITED], "reference": PLAIN, "trials": 1},
    {"id": "blk-emos", "test": "emos", "conditions": [PLAIN, EDITED], "trials": 1},
    {"id": "blk-word", "test": "identify", "conditions": [PLAIN], "options": ["angry", "sad"], "trials": 1},
    {"id": "blk-type", "test": "transcribe", "conditions": [EDITED], "trials": 1},
    {"id": "blk-multi", "test": "multi", "conditions": [PLAIN, EDITED, OTHER], "trials": 1},
    {"id": "blk-mushra", "test": "mushra", "conditions": [EDITED], "reference": PLAIN, "anchors": [LOW], "trials": 1},
]  # fmt: skip


def write_study(folder: Path, seconds: float = 0.5, items: int = 3, **changes: Any) -> Study:
    """Write study.yaml, source clips and rendered clips; every clip is a tone of its own."""
    draw = np.random.default_rng(5)
    named = [f"qqitem{number + 1}" for number in range(items)]
    for condition in (PLAIN, EDITED, OTHER):
        for item in named:
            (folder / condition).mkdir(parents=True, exist_ok=True)
            time_axis = np.arange(int(RATE * seconds * draw.uniform(0.9, 1.1))) / RATE
            tone = 0.2 * np.sin(2 * np.pi * draw.uniform(150, 600) * time_axis) * (1 + np.sin(30 * time_axis)) / 2
            audio.write_wav(folder / condition / f"{item}.wav", tone, RATE)
    content = {
        "id": "zzstudy",
        "title": "A test of tests",
        "instructions": "Please listen.",
        "consent": "I take part.",
        "questionnaire": [{"id": "age", "ask": "Your age", "kind": "number"}],
        "conditions": {name: {"source": "folder", "folder": name} for name in (PLAIN, EDITED, OTHER)}
        | {LOW: {"source": "anchor", "of": PLAIN, "cut_hz": 3500}},
        "items": [{"id": name, "text": "it rains", "prompt": "a whisper", "voice": "qqvoice"} for name in named],
        "blocks": BLOCKS,
        **changes,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    study = load_study(folder)
    render(study, folder, folder, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    return study


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Served:
    """`listening serve` in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "latent_edit",
            "listening",
            "serve",
            str(self.folder),
            "--port",
            str(self.port),
        ]
        self.process = subprocess.Popen(
            [*command, "--password-file", str(self.folder / "password")], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.address}/page/study.css", timeout=5).read()
                return
            except OSError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.05)
        raise AssertionError("the server did not answer in time")

    def kill(self) -> None:
        """As the power might fail: SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def __enter__(self) -> Served:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def reply(told: dict[str, Any], draw: random.Random) -> Any:
    """Some valid answer to a step."""
    if told["kind"] == "questionnaire":
        return {question["id"]: "30" for question in told["questions"]}
    if told["kind"] == "headphones":
        return draw.randrange(3)
    if told["kind"] != "trial":
        return None
    if told["words"]:
        return [draw.randrange(101) for _ in told["rated"]]
    answers: dict[str, Callable[[], Any]] = {
        "ab": lambda: draw.choice([0, 1, "tie"]),
        "abx": lambda: draw.randrange(2),
        "identify": lambda: draw.randrange(len(told["options"])),
        "transcribe": lambda: "it rains",
    }
    return answers.get(told["test"], lambda: draw.choice([value for value, _ in told["scale"]]))()


def answer_to(told: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """What the page would send."""
    count = len(told.get("clips", []))
    return {
        "step": told["step"],
        "uuid": f"{draw.getrandbits(128):032x}",
        "session": "session",
        "response": reply(told, draw),
        "reaction_ms": 4000,
        "plays": [1] * count,
        "listened": [0.5] * count,
    }


def post(address: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request; urllib raises for everything but success."""
    data = json.dumps(content).encode() if content is not None else b""
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        told = json.loads(answer.read())
    assert isinstance(told, dict)
    return told


def persist(address: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """A request until it is answered, as the page repeats it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return post(address, content)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
        except (OSError, HTTPException):  # refused, or cut off in the middle
            pass
        time.sleep(0.05)
    raise AssertionError("no answer in time")


def take_part(address: str, pid: str, doubled: float = 0.0) -> dict[int, str]:
    """A whole study by requests: step -> uuid of what was sent. doubled: share of answers that are sent twice."""
    draw, sent, query = random.Random(pid), {}, f"?pid={quote(pid)}"
    told = persist(f"{address}/api/state{query}")
    while told["kind"] not in ("end", "full"):
        answer = answer_to(told, draw)
        sent[answer["step"]] = answer["uuid"]
        step, told = told, persist(f"{address}/api/answer{query}", answer)
        if draw.random() < doubled:  # the same once more, and another answer to the same step
            persist(f"{address}/api/answer{query}", answer)
            assert persist(f"{address}/api/answer{query}", answer_to(step, draw))["step"] == told["step"]
    assert told["kind"] == "end"
    return sent
