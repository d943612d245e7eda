"""Answers survive kills of the server, doubled requests and hostile input; cells stay balanced; the monitor is shut."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from listening_studies import BLOCKS, EDITED, PASSWORD, PLAIN, Served, answer_to, reply, take_part, write_study

from latent_edit.errors import InputError
from latent_edit.listening.export import as_csv, read_rows, scores
from latent_edit.listening.server import Room, build_app
from latent_edit.listening.storage import Storage

PARTICIPANTS = 200
JSON = {"Content-Type": "application/json"}
HOSTILE = [
    "../../etc/passwd",
    "'; DROP TABLE answers; --",
    '=HYPERLINK("http://x")',
    "<script>alert(1)</script>",
    "a\tb",
    "ä🙂",
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The interface over a small study, in this process."""
    write_study(tmp_path, items=3)
    with TestClient(build_app(Room(tmp_path), PASSWORD)) as client:
        yield client


def test_two_hundred_participants_and_a_server_that_is_killed(tmp_path: Path) -> None:
    blocks = [
        {"id": "pairs", "test": "ab", "conditions": [PLAIN, EDITED], "trials": 2, "listeners": 134, "repeats": 1},
        {"id": "single", "test": "mos", "conditions": [PLAIN, EDITED], "design": "latin_square", "trials": 2,
         "listeners": 67},
    ]  # fmt: skip
    study = write_study(tmp_path, items=3, blocks=blocks, headphone_check=False)
    pids = [f"participant {number}" for number in range(PARTICIPANTS)]
    with Served(tmp_path) as served, ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(take_part, served.address, pid, doubled=0.05) for pid in pids]
        draw, kills = random.Random(3), 0
        while not all(future.done() for future in futures):
            time.sleep(draw.uniform(0.5, 2.0))
            if kills < 5 and not all(future.done() for future in futures):
                served.kill()
                kills += 1
                served.start()
        sent = {pid: future.result() for pid, future in zip(pids, futures, strict=True)}
    assert kills >= 3
    rows = read_rows(tmp_path)
    kept = {(row["participant"], row["step"]): row["uuid"] for row in rows}
    assert kept == {(pid, step): uuid for pid, steps in sent.items() for step, uuid in steps.items()}
    for block in study.blocks:
        answered = Counter(
            (row["item"], frozenset(row["conditions"]))
            for row in rows
            if row["block"] == block.id and row["kind"] == "trial" and row["repeat_of"] is None
        )
        assert len(answered) == len(study.cells(block))
        assert max(answered.values()) - min(answered.values()) <= 1
    first = Counter(row["conditions"][0] for row in rows if row["block"] == "pairs" and row["kind"] == "trial")
    assert abs(first[PLAIN] - first[EDITED]) < 0.2 * sum(first.values())


def through(client: TestClient, pid: str) -> None:
    """A whole study in this process."""
    draw = random.Random(1)
    told = client.post("/api/state", params={"pid": pid}).json()
    while told["kind"] != "end":
        for address in told.get("clips", []):
            assert client.get(f"/{address}", params={"pid": pid}).status_code == 200
        answer = client.post("/api/answer", params={"pid": pid}, json=answer_to(told, draw))
        assert answer.status_code == 200, answer.text
        told = answer.json()


def test_hostile_ids_and_words_stay_words(client: TestClient, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()} - {"answers.sqlite-shm", "answers.sqlite-wal"}
    for pid in HOSTILE:
        told = client.post("/api/state", params={"pid": pid}).json()
        answer = {**answer_to(told, random.Random(1)), "comment": f"{pid} \ud800\0", "session": "+1", "uuid": "=2"}
        body = json.dumps(answer)
        assert client.post("/api/answer", params={"pid": pid}, content=body, headers=JSON).status_code == 200
    rows = read_rows(tmp_path)
    assert [row["participant"] for row in rows] == HOSTILE
    table = list(csv.reader(io.StringIO(as_csv(rows))))
    assert len(table) == 1 + len(HOSTILE)
    assert [cell for line in table for cell in line if cell[:1] in tuple("=+-@\t\r")] == []
    assert sqlite3.connect(tmp_path / "answers.sqlite").execute("SELECT COUNT(*) FROM answers").fetchone() == (6,)
    assert {path.name for path in tmp_path.iterdir()} == before | {"answers.sqlite-shm", "answers.sqlite-wal"}


def test_what_is_too_large_or_no_answer_is_refused_and_nothing_is_kept(client: TestClient, tmp_path: Path) -> None:
    told = client.post("/api/state", params={"pid": "a"}).json()
    fine = answer_to(told, random.Random(1))
    wrong: list[dict[str, object]] = [
        {"comment": "x" * 1_000_000}, {"comment": "x" * 5_000}, {"step": 7},
        {"plays": [float("1e400")]}, {"more": 1},
    ]  # fmt: skip
    for bad in wrong:
        body = json.dumps({**fine, **bad})
        assert client.post("/api/answer", params={"pid": "a"}, content=body, headers=JSON).status_code in (413, 422), (
            bad
        )
    assert client.post("/api/answer", params={"pid": "nobody"}, json=fine).status_code == 404
    assert client.post("/api/state", params={"pid": "x" * 10_000}).status_code == 422
    with pytest.raises(InputError, match="no answers"):
        read_rows(tmp_path)


def test_a_clip_must_be_played_and_only_the_step_that_is_shown_can_be_heard(client: TestClient) -> None:
    client.post(
        "/api/answer", params={"pid": "a"}, json=answer_to(client.post("/api/state?pid=a").json(), random.Random(1))
    )
    told = client.post("/api/state?pid=a").json()
    assert told["kind"] == "volume"
    answer = answer_to(told, random.Random(1))
    assert client.post("/api/answer?pid=a", json={**answer, "plays": [0]}).status_code == 422
    clip = f"/{told['clips'][0]}"
    first = client.get(f"{clip}?pid=a")
    assert first.status_code == 200 and first.content == client.get(f"{clip}?pid=a").content
    assert client.get(f"{clip}?pid=b").status_code == 404
    client.post("/api/state?pid=b")
    assert client.get(f"{clip}?pid=b").status_code == 404
    client.post("/api/answer?pid=a", json=answer)
    assert client.get(f"{clip}?pid=a").status_code == 404


def test_a_second_answer_changes_nothing_and_the_place_is_kept(client: TestClient, tmp_path: Path) -> None:
    told = client.post("/api/state?pid=a").json()
    first = answer_to(told, random.Random(1))
    barrier = threading.Barrier(8)

    def send(number: int) -> int:
        barrier.wait()
        answer = {**first, "uuid": f"{number}"}
        return int(client.post("/api/answer?pid=a", json=answer).json()["step"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {1}
    assert len(read_rows(tmp_path)) == 1
    again = TestClient(build_app(Room(tmp_path)))  # as after a restart
    assert again.post("/api/state?pid=a").json() == client.post("/api/state?pid=a").json()


def test_nothing_of_the_monitor_is_reachable_without_its_password(client: TestClient, tmp_path: Path) -> None:
    client.post("/api/state?pid=a")
    paths = ["/monitor", "/monitor/monitor.js", "/monitor/state", "/monitor/answers.csv", "/monitor/answers.jsonl"]
    for path in paths:
        for wrong in ({}, {"Authorization": "Basic " + base64.b64encode(b"x:" + PASSWORD[:-1].encode()).decode()},
                      {"Authorization": "Basic !"}, {"Authorization": f"Bearer {PASSWORD}"}):  # fmt: skip
            refused = client.get(path, headers=wrong)
            assert refused.status_code == 401 and PLAIN not in refused.text
        assert client.get(path, auth=("", PASSWORD)).status_code == 200, path
    told = client.get("/monitor/state", auth=("", PASSWORD)).json()
    assert told["participants"][0]["participant"] == "a"
    assert sum(cell["given"] for cell in told["cells"]) > 0
    for path in (*paths, "/docs", "/openapi.json", "/page/monitor.html", "/page/monitor.js", "/page/../server.py"):
        assert TestClient(build_app(Room(tmp_path))).get(path).status_code == 404, path


def test_a_changed_study_is_not_served_over_old_answers(client: TestClient, tmp_path: Path) -> None:
    client.post("/api/state?pid=a")
    write_study(tmp_path, title="Another")
    with pytest.raises(InputError, match="another version"):
        Room(tmp_path)


def test_a_full_study_lets_nobody_else_in_and_those_who_left_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(tmp_path, blocks=[{**BLOCKS[3], "listeners": 1}], items=2)
    client = TestClient(build_app(Room(tmp_path)))
    assert [client.post(f"/api/state?pid={pid}").json()["kind"] for pid in "abc"] == ["consent", "consent", "full"]
    through(client, "a")
    monkeypatch.setattr("latent_edit.listening.storage.ABANDONED_SECONDS", -1.0)
    assert [client.post(f"/api/state?pid={pid}").json()["kind"] for pid in "abc"] == ["end", "consent", "consent"]


def test_an_export_gives_scores_of_clips(client: TestClient, tmp_path: Path) -> None:
    through(client, "a")
    found = scores(tmp_path)
    assert {score.test for score in found} == {"ab", "ccr", "mos", "smos", "emos", "multi", "mushra"}
    rows = read_rows(tmp_path)
    rated = next(row for row in rows if row["test"] == "multi" and row["kind"] == "trial")
    one = {score.condition: score for score in found if score.test == "multi"}
    assert {name: score.value for name, score in one.items()} == rated["response"]
    assert one[EDITED].sha256 == rated["clip_sha256"][rated["conditions"].index(EDITED)]


def test_storage_syncs_every_answer(tmp_path: Path) -> None:
    """What a power cut needs; a kill alone would also be survived with less."""
    database = Storage(tmp_path, "hash")._database
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_every_kind_of_reply_is_refused_when_it_is_none(client: TestClient) -> None:
    told = client.post("/api/state?pid=a").json()
    draw = random.Random(2)
    while told["kind"] != "end":
        fine = answer_to(told, draw)
        if told["kind"] in ("trial", "headphones", "questionnaire"):
            for wrong in (None, "zz", 999, -99, True, [1], [True, True, True, True, True], {"a": {}}, 2.5):
                if wrong == "zz" and told.get("test") == "transcribe":
                    continue
                if wrong == {"a": {}} and told["kind"] == "questionnaire":
                    continue
                refused = client.post("/api/answer?pid=a", json={**fine, "response": wrong})
                assert refused.status_code == 422, (told, wrong)
        told = client.post("/api/answer?pid=a", json={**fine, "response": reply(told, draw)}).json()
