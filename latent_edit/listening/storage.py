"""Participants, plans and answers in one SQLite file. What `save` has returned from survives any end of the process.

Write-ahead log with synchronous=FULL: every commit is synced to disk before it returns. An answer is unique by
participant and step, so that a second click, a second tab or a repeated request can neither double nor change it.
"""

from __future__ import annotations

import datetime
import json
import secrets
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from latent_edit.errors import InputError
from latent_edit.listening.design import Cell, Counts, ParticipantPlan

FILE_NAME = "answers.sqlite"
SCHEMA_VERSION = 1
ABANDONED_SECONDS = 24 * 3600.0  # whoever was away so long without finishing no longer takes places
PLANS_KEPT = 1000
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS participants (
  number INTEGER PRIMARY KEY, pid TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, code TEXT NOT NULL, started TEXT NOT NULL,
  last_seen REAL NOT NULL, finished TEXT);
CREATE TABLE IF NOT EXISTS cells (number INTEGER NOT NULL, block TEXT NOT NULL, cell INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
  number INTEGER NOT NULL, step INTEGER NOT NULL, uuid TEXT NOT NULL, row TEXT NOT NULL, PRIMARY KEY (number, step));
"""


class Participant(NamedTuple):
    """number: from 0, in the order of arrival. code: shown at the end. finished: UTC, None before."""

    number: int
    pid: str
    plan: ParticipantPlan
    code: str
    finished: str | None


class Saved(NamedTuple):
    """step: the next one, or the number of steps when all are done. new: False where the answer was there already."""

    step: int
    new: bool


class Storage:
    """The database of a study folder. Safe to call from several threads; one process at a time."""

    def __init__(self, folder: Path, config_hash: str) -> None:
        """Open or create. Raises InputError when answers to another version of the study are in it."""
        self._lock = threading.RLock()
        self._plans: OrderedDict[int, ParticipantPlan] = OrderedDict()
        self._database = sqlite3.connect(folder / FILE_NAME, isolation_level=None, check_same_thread=False, timeout=30)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(SCHEMA)
        with self._transaction():
            self._remember("schema_version", str(SCHEMA_VERSION))
            self._remember("secret", secrets.token_hex(32))
            self._remember("config_hash", config_hash)
        for name, expected in (("schema_version", str(SCHEMA_VERSION)), ("config_hash", config_hash)):
            if self._meta(name) != expected:
                self.close()
                raise InputError(
                    f"{folder / FILE_NAME} holds answers to another version of this study ({name} differs); "
                    "serve the changed study from a new folder"
                )
        self.secret = bytes.fromhex(self._meta("secret"))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _remember(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))

    def _meta(self, name: str) -> str:
        return str(self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    def participant(self, pid: str) -> Participant | None:
        """Who came with this id, or None."""
        with self._lock:
            found = self._database.execute(
                "SELECT number, pid, code, finished FROM participants WHERE pid = ?", (pid,)
            ).fetchone()
            if found is None:
                return None
            return Participant(found[0], found[1], self._plan(found[0]), found[2], found[3])

    def _plan(self, number: int) -> ParticipantPlan:
        if number not in self._plans:
            row = self._database.execute("SELECT plan FROM participants WHERE number = ?", (number,)).fetchone()
            self._plans[number] = ParticipantPlan.model_validate_json(row[0])
            if len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
        return self._plans[number]

    def enter(self, pid: str, make: Callable[[int, Counts], ParticipantPlan]) -> Participant:
        """The participant of this id; planned and counted in one transaction when new."""
        with self._transaction() as database:
            found = self.participant(pid)
            if found is not None:
                return found
            number = database.execute("SELECT COUNT(*) FROM participants").fetchone()[0]
            plan, code = make(number, self.counts()), secrets.token_hex(4).upper()
            database.execute(
                "INSERT INTO participants VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (number, pid, plan.model_dump_json(exclude_defaults=True), code, utc(), time.time()),
            )
            database.executemany("INSERT INTO cells VALUES (?, ?, ?)", [(number, *cell) for cell in plan.cells()])
            return Participant(number, pid, plan, code, None)

    def counts(self, finished_only: bool = False) -> dict[Cell, int]:
        """How often each cell was given out to those who finished or may still finish."""
        since = float("inf") if finished_only else time.time() - ABANDONED_SECONDS
        with self._lock:
            rows = self._database.execute(
                "SELECT block, cell, COUNT(*) FROM cells JOIN participants USING (number)"
                " WHERE finished IS NOT NULL OR last_seen > ? GROUP BY block, cell",
                (since,),
            ).fetchall()
        return {(block, cell): count for block, cell, count in rows}

    def places_taken(self) -> int:
        """Participants who finished or may still finish."""
        with self._lock:
            return int(
                self._database.execute(
                    "SELECT COUNT(*) FROM participants WHERE finished IS NOT NULL OR last_seen > ?",
                    (time.time() - ABANDONED_SECONDS,),
                ).fetchone()[0]
            )

    def next_step(self, number: int) -> int:
        """The first step without an answer."""
        with self._lock:
            return int(self._database.execute("SELECT COUNT(*) FROM answers WHERE number = ?", (number,)).fetchone()[0])

    def save(self, participant: Participant, step: int, row: Callable[[], dict[str, Any]]) -> Saved:
        """Keep an answer, synced to disk when this returns. `row` is made only for a step that has none.

        Steps are answered in order. Raises InputError for one that is not shown yet.
        """
        with self._transaction() as database:
            now = self.next_step(participant.number)
            if step < now:
                return Saved(now, new=False)
            if step > now:
                raise InputError(f"step {step} cannot be answered before step {now}; reload the page")
            made = row()
            values = (participant.number, step, made["uuid"], json.dumps(made, ensure_ascii=False))
            database.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", values)
            done = utc() if step + 1 == len(participant.plan.steps) else None
            database.execute(
                "UPDATE participants SET last_seen = ?, finished = ? WHERE number = ?",
                (time.time(), done, participant.number),
            )
            return Saved(step + 1, new=True)

    def rows(self, number: int | None = None) -> list[dict[str, Any]]:
        """All answers, or those of one participant, in order."""
        where, values = ("", ()) if number is None else ("WHERE number = ?", (number,))
        with self._lock:
            found = self._database.execute(f"SELECT row FROM answers {where} ORDER BY number, step", values).fetchall()
        return [json.loads(row) for (row,) in found]

    def participants(self) -> list[dict[str, Any]]:
        """For the monitor: number, id, when they came and ended, and how many steps they answered."""
        with self._lock:
            found = self._database.execute(
                "SELECT number, pid, started, finished, (SELECT COUNT(*) FROM answers a WHERE a.number = p.number)"
                " FROM participants p ORDER BY number"
            ).fetchall()
        names = ("number", "participant", "started", "finished", "answered")
        return [dict(zip(names, row, strict=True)) for row in found]


def utc() -> str:
    """The time of the server's clock, to a millisecond."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
