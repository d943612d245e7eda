"""The participants' page and the monitor: a few plain routes over a study folder. No condition leaves this file.

Participants reach `/?pid=...` alone. The monitor is there only when a password was given, and answers nothing without.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from latent_edit.errors import InputError
from latent_edit.listening.backup import Backup
from latent_edit.listening.clips import headphone_bytes, load_clips, unique_bytes
from latent_edit.listening.design import make_participant_plan, participants_needed
from latent_edit.listening.export import as_csv, as_json_lines
from latent_edit.listening.screening import screen
from latent_edit.listening.storage import Participant, Storage
from latent_edit.listening.study import load_study
from latent_edit.listening.trials import Answer, check_listening, clip_count, make_row, public_step

PAGE = Path(__file__).parent / "page"
STATIC = ("study.js", "trial.js", "player.js", "study.css")
MOST_BYTES = 64 * 1024
MOST_ID = 200
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'",
}
Pid = Annotated[str, Query(min_length=1, max_length=MOST_ID)]


class Room:
    """A study that is being heard: its file, clips and storage."""

    def __init__(self, folder: Path, dataset: str | None = None) -> None:
        self.folder = folder
        self.study = load_study(folder)
        self.clips = load_clips(folder, self.study)
        self.storage = Storage(folder, self.study.config_hash)
        self.backup = Backup(folder, dataset) if dataset else None
        self.needed = participants_needed(self.study)
        self.loudest = max(self.clips.values(), key=lambda clip: clip.lufs if clip.lufs is not None else -99.0)

    def enter(self, pid: str) -> Participant | None:
        """The participant of this id, planned when new; None when the study has all it needs."""
        found = self.storage.participant(pid)
        if found is not None:
            return found
        if self.storage.places_taken() >= self.needed:
            return None
        return self.storage.enter(pid, lambda number, counts: make_participant_plan(self.study, number, counts))

    def state(self, participant: Participant) -> dict[str, Any]:
        """The step that the participant is at, with the addresses of its clips."""
        number = self.storage.next_step(participant.number)
        told = public_step(self.study, participant.plan, number)
        if told["kind"] == "end":
            return told | {"code": self.study.completion_code or participant.code}
        count = clip_count(participant.plan.steps[number])
        return told | {"clips": [f"clip/{self.token(participant, number, slot).hex()}" for slot in range(count)]}

    def token(self, participant: Participant, step: int, slot: int) -> bytes:
        """Names and seeds a clip of one participant; nobody can make one without the secret of the storage."""
        told = json.dumps([participant.pid, step, slot]).encode()
        return hmac.new(self.storage.secret, told, hashlib.sha256).digest()[:16]

    def clip(self, participant: Participant, token: str) -> bytes | None:
        """The bytes of a clip of the step that the participant is at, None for any other."""
        number = self.storage.next_step(participant.number)
        if number >= len(participant.plan.steps):
            return None
        step = participant.plan.steps[number]
        for slot in range(clip_count(step)):
            own = self.token(participant, number, slot)
            if hmac.compare_digest(own.hex().encode(), token.encode()):
                seed = hmac.new(self.storage.secret, own, hashlib.sha256).digest()
                if step.quietest is not None:
                    return headphone_bytes(step.quietest, seed)
                heard = [self.clips[step.item, name] for name in step.conditions] or [self.loudest]
                return unique_bytes(self.folder, heard, slot, seed)
        return None

    def answer(self, participant: Participant, answer: Answer) -> None:
        """Keep an answer. Raises InputError for one that cannot be."""
        kept: list[dict[str, Any]] = []

        def row() -> dict[str, Any]:
            step = participant.plan.steps[answer.step]
            check_listening(step, answer, clip_count(step))
            score = self._headphone_score(participant, answer.step)
            kept.append(make_row(self.study, self.clips, participant, answer, score))
            return kept[0]

        self.storage.save(participant, answer.step, row)
        if self.backup and kept:
            self.backup.append(kept[0])

    def _headphone_score(self, participant: Participant, step: int) -> int | None:
        """Right answers of the headphone check, None until it is over or where there is none."""
        checks = [place for place, s in enumerate(participant.plan.steps) if s.kind == "headphones"]
        if not checks or step <= checks[-1]:
            return None
        return sum(row["correct"] for row in self.storage.rows(participant.number) if row["kind"] == "headphones")

    def monitored(self) -> dict[str, Any]:
        """Participants, cells filled and screening so far."""
        given, finished = self.storage.counts(), self.storage.counts(finished_only=True)
        cells = [
            {"block": block.id, "item": item, "conditions": list(shown), "given": given.get((block.id, place), 0),
             "finished": finished.get((block.id, place), 0)}
            for block in self.study.blocks
            for place, (item, shown) in enumerate(self.study.cells(block))
        ]  # fmt: skip
        people = self.storage.participants()
        reasons = screen(self.study, self.storage.rows())
        for person in people:
            person["removed_for"] = reasons.get(person["participant"], [])
        return {"title": self.study.title, "needed": self.needed, "participants": people, "cells": cells}


def build_app(room: Room, password: str | None = None) -> FastAPI:
    """The application. password: of the monitor; None leaves the monitor out."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_guard)
    app.exception_handler(InputError)(_refuse)
    app.exception_handler(RequestValidationError)(_refuse_form)
    _add_page(app)
    _add_trials(app, room)
    if password is not None:
        _add_monitor(app, room, password)
    return app


async def _guard(request: Request, call_next: Callable[[Request], Any]) -> Response:
    """No body of unknown or needless size is read; nothing is cached or framed by others."""
    if request.method not in ("GET", "HEAD"):
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return PlainTextResponse(f"an answer has at most {MOST_BYTES} bytes", 413)
    response: Response = await call_next(request)
    response.headers.update(HEADERS)
    return response


async def _refuse(request: Request, error: Exception) -> Response:  # noqa: ARG001  (FastAPI's own parameters)
    return JSONResponse({"error": str(error)}, 422)


async def _refuse_form(request: Request, error: Exception) -> Response:  # noqa: ARG001  (FastAPI's own parameters)
    """Without what was sent, which FastAPI would repeat: JSON has no way to say NaN."""
    assert isinstance(error, RequestValidationError)
    where = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
    return JSONResponse({"error": f"not an answer of this page: {where}"}, 422)


def _add_page(app: FastAPI) -> None:
    @app.get("/")
    def page(pid: str = "") -> Response:
        if not pid:
            return RedirectResponse(f"?pid={uuid.uuid4().hex}", 303)
        if len(pid) > MOST_ID:
            raise HTTPException(400, f"an id has at most {MOST_ID} characters")
        return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")

    @app.get("/page/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            raise HTTPException(404)
        return FileResponse(PAGE / name)


def _add_trials(app: FastAPI, room: Room) -> None:
    def known(pid: Pid) -> Participant:
        found = room.storage.participant(pid)
        if found is None:
            raise HTTPException(404, "this participant has not begun")
        return found

    who = Depends(known)

    @app.post("/api/state")
    def state(pid: Pid) -> dict[str, Any]:
        participant = room.enter(pid)
        return {"kind": "full", "title": room.study.title} if participant is None else room.state(participant)

    @app.post("/api/answer")
    def answer(answer: Answer, participant: Participant = who) -> dict[str, Any]:
        room.answer(participant, answer)
        return room.state(participant)

    @app.get("/clip/{token}")
    def clip(token: str, participant: Participant = who) -> Response:
        content = room.clip(participant, token)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="audio/wav")

    @app.get("/api/mine")
    def mine(participant: Participant = who) -> Response:
        """A participant's own answers as given, without what would tell conditions."""
        shown = ("step", "kind", "question", "comment", "reaction_ms", "plays", "utc")
        rows = room.storage.rows(participant.number)
        own = [{name: row[name] for name in shown} | {"answer": _as_given(row)} for row in rows]
        header = {"Content-Disposition": 'attachment; filename="answers.json"'}
        return JSONResponse({"study": room.study.title, "answers": own}, headers=header)


def _as_given(row: dict[str, Any]) -> Any:
    """The response by place, as it was shown."""
    kept, conditions = row["response"], row["conditions"]
    if isinstance(kept, dict) and row["kind"] == "trial":
        return list(kept.values())
    return "AB"[conditions.index(kept)] if row["test"] == "ab" and kept in conditions else kept


def _add_monitor(app: FastAPI, room: Room, password: str) -> None:
    basic = HTTPBasic(realm="monitor")

    def allowed(given: HTTPBasicCredentials = Depends(basic)) -> None:  # noqa: B008  (FastAPI's way)
        if not secrets.compare_digest(given.password.encode(), password.encode()):
            raise HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="monitor"'})

    guarded: list[Any] = [Depends(allowed)]

    @app.get("/monitor", dependencies=guarded)
    def page() -> Response:
        return FileResponse(PAGE / "monitor.html", media_type="text/html; charset=utf-8")

    @app.get("/monitor/monitor.js", dependencies=guarded)
    def script() -> Response:
        return FileResponse(PAGE / "monitor.js")

    @app.get("/monitor/state", dependencies=guarded)
    def state() -> dict[str, Any]:
        return room.monitored()

    @app.get("/monitor/answers.csv", dependencies=guarded)
    def csv_file() -> Response:
        header = {"Content-Disposition": 'attachment; filename="answers.csv"'}
        return Response(as_csv(room.storage.rows()), media_type="text/csv; charset=utf-8", headers=header)

    @app.get("/monitor/answers.jsonl", dependencies=guarded)
    def lines_file() -> Response:
        header = {"Content-Disposition": 'attachment; filename="answers.jsonl"'}
        return Response(as_json_lines(room.storage.rows()), media_type="application/jsonl", headers=header)


def serve(folder: Path, host: str, port: int, password: str | None, dataset: str | None = None) -> None:
    """Answer until stopped. Raises InputError where the folder is no rendered study."""
    import uvicorn

    room = Room(folder, dataset)
    try:
        uvicorn.run(build_app(room, password), host=host, port=port, log_level="warning", access_log=False)
    finally:
        room.storage.close()
