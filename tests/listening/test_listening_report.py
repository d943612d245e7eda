"""From answers with known effects to a report that finds them, and removes those who did not listen."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from listening_studies import BLOCKS, EDITED, OTHER, PLAIN, answer_to, write_study

from latent_edit.errors import InputError
from latent_edit.listening.export import read_rows
from latent_edit.listening.report import write_report
from latent_edit.listening.server import Room, build_app
from latent_edit.listening.storage import Participant
from latent_edit.listening.study import Study, load_study

LISTENERS = 14
QUALITY = {PLAIN: 0.0, EDITED: 1.5, OTHER: 0.5}  # what simulated listeners make of conditions
THREE = [PLAIN, EDITED, OTHER]
STUDIED = [
    {**BLOCKS[0], "conditions": THREE, "trials": 6},
    *BLOCKS[1:8],
    {**BLOCKS[8], "trials": 3},
    BLOCKS[9],
]


def judged(study: Study, participant: Participant, told: dict[str, Any], draw: random.Random) -> Any:
    """What somebody answers who hears `QUALITY`, with noise."""
    step = participant.plan.steps[told["step"]]
    if step.kind == "headphones":
        return step.quietest
    if step.kind != "trial":
        return answer_to(told, draw)["response"]
    heard = [QUALITY.get(name, -1.0) + draw.gauss(0, 0.6) for name in step.conditions]
    if step.catch is not None:
        return step.conditions.index(EDITED)
    match study.block(step.block).test:
        case "ab":
            return "tie" if abs(heard[0] - heard[1]) < 0.3 else int(heard[1] > heard[0])
        case "abx":
            return step.conditions.index(step.conditions[2]) if draw.random() < 0.95 else 0
        case "ccr":
            return max(-3, min(3, round(heard[1] - heard[0])))
        case "mushra":
            return [max(0, min(100, round(50 + 20 * value))) for value in heard[1:]]
        case "multi":
            return [max(0, min(100, round(50 + 20 * value))) for value in heard]
        case "mos" | "emos" | "smos":
            return max(1, min(5, round(2.5 + heard[-1])))
        case _:
            return answer_to(told, draw)["response"]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with answers of simulated listeners, the last of whom misses the catch trial and hears no tone."""
    folder = tmp_path_factory.mktemp("study")
    rules = {"headphones_least": 5, "catch_missed_most": 0, "seconds_a_trial_least": 0.5}
    study = write_study(folder, blocks=STUDIED, items=3, screening=rules, headphone_check=True)
    room = Room(folder)
    client = TestClient(build_app(room))
    draw = random.Random(7)
    for number in range(LISTENERS):
        query = {"pid": f"p{number}"}
        told = client.post("/api/state", params=query).json()
        while told["kind"] != "end":
            participant = room.storage.participant(query["pid"])
            assert participant is not None
            answer = {**answer_to(told, draw), "response": judged(study, participant, told, draw)}
            step = participant.plan.steps[told["step"]]
            if number == LISTENERS - 1 and step.kind == "headphones":
                answer["response"] = 0
            if number == LISTENERS - 1 and step.catch is not None:
                answer["response"] = step.conditions.index(PLAIN)
            told = client.post("/api/answer", params=query, json=answer).json()
    return folder


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_the_report_finds_what_is_there(answered: Path, tmp_path: Path) -> None:
    report = write_report(load_study(answered), answered, tmp_path).read_text(encoding="utf-8")
    people = table(tmp_path / "participants.csv")
    assert [row["id"] for row in people if row["removed for"]] == [f"p{LISTENERS - 1}"]
    assert "headphones: 2 of 6" in people[-1]["removed for"] and "catch trials: 1" in people[-1]["removed for"]
    means = {(row["block"], row["condition"]): row for row in table(tmp_path / "conditions.csv")}
    preferred = means["blk-ab", f"{EDITED} > {PLAIN}"]
    assert 0.8 < float(preferred["mean"]) <= 1 and float(preferred["low"]) > 0.5
    assert float(means["blk-ccr", f"{EDITED} > {PLAIN}"]["mean"]) > 0.8
    assert float(means["blk-abx", f"{EDITED} > {PLAIN}"]["low"]) > 0.5
    assert float(means["blk-multi", EDITED]["mean"]) == pytest.approx(80, abs=5)
    assert float(means["blk-type", EDITED]["mean"]) == 0
    compared = {(row["block"], row["second"], row["first"]): row for row in table(tmp_path / "comparisons.csv")}
    assert float(compared["blk-multi", EDITED, PLAIN]["p (Holm)"]) < 0.01
    assert int(compared["blk-multi", EDITED, PLAIN]["needed"]) < LISTENERS
    assert all(float(row["p"]) <= float(row["p (Holm)"]) for row in compared.values() if row["p"])
    for words in ("Bradley-Terry", "Krippendorff", "Friedman", "Intended (rows)"):
        assert words in report
    for block in STUDIED:
        figure = tmp_path / f"{block['id']}.png"
        assert f"## {block['id']}" in report
        assert figure.is_file() == (block["test"] != "identify")


def test_exported_lines_say_the_same(answered: Path, tmp_path: Path) -> None:
    lines = tmp_path / "rows.jsonl"
    rows = read_rows(answered)
    # As several backups may hold the same answers, in any order.
    lines.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *rows[::-1]]), encoding="utf-8")
    study = load_study(answered)
    one = write_report(study, answered, tmp_path / "one").read_text(encoding="utf-8")
    assert write_report(study, lines, tmp_path / "two").read_text(encoding="utf-8") == one


def test_a_changed_study_is_not_analysed(answered: Path, tmp_path: Path) -> None:
    study = load_study(answered).model_copy(update={"title": "Another"})
    with pytest.raises(InputError, match="another version"):
        write_report(study, answered, tmp_path)
