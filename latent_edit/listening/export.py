"""Answers as CSV and JSON lines, read again, and per-clip scores for other judges."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from latent_edit.errors import InputError
from latent_edit.listening.storage import FILE_NAME

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table for spreadsheets. Lists and ratings are JSON; no text can start a formula there."""
    file = io.StringIO()
    if rows:
        writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
        names = list(rows[0])
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return "" if value is None else value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) or text.startswith(FORMULA_STARTS) else text


def read_rows(source: Path) -> list[dict[str, Any]]:
    """Answers of a study folder, or of an exported .jsonl file (or a folder of them, as a backup is).

    The first row of a participant and step counts, as it does in the storage. Raises InputError when there are none.
    """
    source = Path(source)
    try:
        if (source / FILE_NAME).is_file():
            database = sqlite3.connect(f"file:{(source / FILE_NAME).absolute()}?mode=ro", uri=True)
            found = [json.loads(row) for (row,) in database.execute("SELECT row FROM answers ORDER BY number, step")]
            database.close()
        else:
            files = sorted(source.glob("*.jsonl")) if source.is_dir() else [source]
            found = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, sqlite3.Error) as error:
        raise InputError(f"cannot read answers from {source} ({error}); give a study folder or an export") from None
    unique: dict[tuple[str, int], dict[str, Any]] = {}
    for row in sorted(found, key=lambda row: str(row["utc"])):
        unique.setdefault((row["participant"], row["step"]), row)
    if not unique:
        raise InputError(f"{source} has no answers yet")
    return sorted(unique.values(), key=lambda row: (row["seed"], row["step"]))


class Score(NamedTuple):
    """What listeners made of one clip. value: mean rating; share of comparisons won, ties half (ab); share right."""

    block: str
    test: str
    item: str
    condition: str
    sha256: str
    value: float
    answers: int


def scores(export: Path) -> list[Score]:
    """Mean score of every clip in a study's answers, training, catch trials and repeats left out.

    For ccr the value is the mean of how much better the clip is than the one beside it. Raises InputError.
    """
    values: dict[tuple[str, str, str, str, str], list[float]] = defaultdict(list)
    for row in read_rows(export):
        if row["kind"] == "trial" and not (row["training"] or row["catch"] or row["repeat_of"] is not None):
            for place, value in _values(row):
                key = (row["block"], row["test"], row["item"], row["conditions"][place], row["clip_sha256"][place])
                values[key].append(value)
    return [Score(*key, sum(found) / len(found), len(found)) for key, found in sorted(values.items())]


def _values(row: Mapping[str, Any]) -> list[tuple[int, float]]:
    """(place, value) of each clip that an answer says something about."""
    kept, test, conditions = row["response"], row["test"], row["conditions"]
    if test == "ab":
        return [(place, 0.5 if kept == "tie" else float(kept == name)) for place, name in enumerate(conditions)]
    if test == "ccr":
        return [(0, -float(kept)), (1, float(kept))]
    if isinstance(kept, dict):
        places = {name: place for place, name in enumerate(conditions)}
        return [(places[name], float(value)) for name, value in kept.items()]
    if test in ("mos", "emos", "smos"):
        return [(len(conditions) - 1, float(kept))]
    return []
