"""From a planned step to what its participant may know, and from what they answer to a row that says everything.

The browser learns places of clips and never names: conditions, items, and whether a trial is a catch or a repeat stay
on the server.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import latent_edit
from latent_edit.config import StrictModel
from latent_edit.errors import InputError
from latent_edit.listening.clips import Clips
from latent_edit.listening.design import ParticipantPlan, Step
from latent_edit.listening.storage import SCHEMA_VERSION, Participant, utc
from latent_edit.listening.study import SIDE_BY_SIDE, Block, Study

MOST_CHARACTERS = 4_000
LISTEN_SHARE = 0.8  # of each clip must have been heard before an answer counts
MOST_MILLISECONDS = 10**9
SCALES: dict[str, list[tuple[int, str]]] = {
    "mos": [(5, "Excellent"), (4, "Good"), (3, "Fair"), (2, "Poor"), (1, "Bad")],
    "smos": [(5, "Definitely the same"), (4, "Probably the same"), (3, "Unsure"), (2, "Probably another"),
             (1, "Definitely another")],
    "emos": [(5, "Very well"), (4, "Well"), (3, "Somewhat"), (2, "Hardly"), (1, "Not at all")],
    "ccr": [(3, "Much better"), (2, "Better"), (1, "Slightly better"), (0, "About the same"), (-1, "Slightly worse"),
            (-2, "Worse"), (-3, "Much worse")],
}  # fmt: skip
SLIDER_WORDS = ("Bad", "Poor", "Fair", "Good", "Excellent")


class Answer(StrictModel):
    """What a browser sends. plays, listened: of each clip, times and seconds. reaction_ms: without pauses."""

    step: int
    uuid: str
    session: str
    response: Any = None
    comment: str = ""
    reaction_ms: float | None = None
    plays: tuple[int, ...] = ()
    listened: tuple[float, ...] = ()


def public_step(study: Study, plan: ParticipantPlan, number: int) -> dict[str, Any]:
    """What the page shows of a step; clips are only counted. A number past the last step is the end."""
    told: dict[str, Any] = {"step": number, "steps": len(plan.steps), "title": study.title}
    if number >= len(plan.steps):
        return told | {"kind": "end"}
    step = plan.steps[number]
    told["kind"] = step.kind
    if step.kind == "consent":
        return told | {"text": study.consent, "instructions": study.instructions}
    if step.kind == "questionnaire":
        return told | {"questions": [question.model_dump() for question in study.questionnaire]}
    if step.kind in ("volume", "headphones"):
        return told | {"clips": 1, "listen": LISTEN_SHARE}
    block = study.block(step.block)
    if step.kind == "instructions":
        return told | {
            "text": block.instructions or "The next questions are of one kind.",
            "practice": bool(block.training),
        }
    return told | {
        "test": block.test,
        "question": block.asked(study.item(step.item)),
        "clips": len(step.conditions),
        "labels": _labels(block, len(step.conditions)),
        "rated": [place for place in range(len(step.conditions)) if place or not block.reference],
        "scale": SCALES.get(block.test, []),
        "words": SLIDER_WORDS if block.test in SIDE_BY_SIDE else (),
        "options": block.options,
        "tie": block.tie,
        "comment": block.comment,
        "practice": step.training,
        "listen": LISTEN_SHARE,
    }


def _labels(block: Block, clips: int) -> list[str]:
    if block.test == "abx":
        return ["A", "B", "X"]
    if clips == 1:
        return ["Play"]
    head = ["Reference"] if block.reference else []
    if block.test == "smos":
        return [*head, "This one"]
    return [*head, *(chr(ord("A") + place) for place in range(clips - len(head)))]


def response(study: Study, step: Step, given: Any) -> Any:
    """An answer as it is kept: conditions and words instead of places. Raises InputError when it is none."""
    if step.kind == "questionnaire":
        return _questionnaire(study, given)
    if step.kind == "headphones":
        return _whole(given, 0, 2)
    if step.kind != "trial":
        return None
    block = study.block(step.block)
    if block.test == "ab":
        if given == "tie" and block.tie:
            return "tie"
        return step.conditions[_whole(given, 0, 1)]
    if block.test == "abx":
        return "AB"[_whole(given, 0, 1)]
    if block.test == "ccr":
        return _whole(given, -3, 3)
    if block.test == "identify":
        return block.options[_whole(given, 0, len(block.options) - 1)]
    if block.test == "transcribe":
        return _text(given, "answer")
    if block.test in SIDE_BY_SIDE:
        rated = step.conditions[1:] if block.reference else step.conditions
        if not isinstance(given, list) or len(given) != len(rated):
            raise InputError(f"the answer must have {len(rated)} ratings")
        return {name: _whole(value, 0, 100) for name, value in zip(rated, given, strict=True)}
    return _whole(given, 1, 5)


def _whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"the answer must be a whole number from {low} to {high}")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        raise InputError(f"the {what} must be text of at most {MOST_CHARACTERS} characters")
    return value.encode("utf-8", "replace").decode()  # without halves of characters, which no file could hold


def _questionnaire(study: Study, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise InputError("the questionnaire must be answered")
    answers = {}
    for question in study.questionnaire:
        answers[question.id] = _text(given.get(question.id, ""), question.id)
        if question.required and not answers[question.id].strip():
            raise InputError(f"please answer: {question.ask}")
        if question.kind == "choice" and answers[question.id] not in ("", *question.options):
            raise InputError(f"please choose one of the answers to: {question.ask}")
    return answers


def check_listening(step: Step, answer: Answer, clips: int) -> None:
    """Raises InputError where a clip was not played, or numbers are none."""
    if len(answer.plays) != clips or len(answer.listened) != clips:
        raise InputError(f"plays and listened must be given for {clips} clips")
    numbers = [*answer.plays, *answer.listened, answer.reaction_ms or 0.0]
    if not all(math.isfinite(number) and 0 <= number < MOST_MILLISECONDS for number in numbers):
        raise InputError("plays, listened and reaction_ms must be numbers of zero or more")
    if step.kind in ("trial", "headphones", "volume") and min(answer.plays) < 1:
        raise InputError("please listen to every clip before answering")


def clip_count(step: Step) -> int:
    """Clips of a step."""
    return 1 if step.kind in ("volume", "headphones") else len(step.conditions)


def correct(study: Study, step: Step, kept: Any) -> bool | None:
    """Whether an answer is right, where something is known to be: headphones, abx, catch trials; None elsewhere."""
    if step.kind == "headphones":
        return bool(kept == step.quietest)
    if step.kind != "trial":
        return None
    if study.block(step.block).test == "abx":
        return bool(step.conditions["AB".index(kept)] == step.conditions[2])
    if step.catch is None:
        return None
    if step.catch.choice is not None:
        return bool(kept == step.catch.choice)
    value: Any = kept.get(step.catch.of) if isinstance(kept, dict) else kept
    least, most = step.catch.least, step.catch.most
    return (least is None or value >= least) and (most is None or value <= most)


def make_row(
    study: Study, clips: Clips, participant: Participant, answer: Answer, headphone_score: int | None
) -> dict[str, Any]:
    """One answer with all that is needed to understand it alone."""
    step = participant.plan.steps[answer.step]
    kept = response(study, step, answer.response)
    heard = [clips[step.item, name] for name in step.conditions]
    block = study.block(step.block) if step.block else None
    return {
        "schema_version": SCHEMA_VERSION,
        "study": study.id,
        "config_hash": study.config_hash,
        "participant": participant.pid,
        "session": _text(answer.session, "session")[:64],
        "uuid": _text(answer.uuid, "uuid")[:64],
        "seed": participant.plan.seed,
        "step": answer.step,
        "kind": step.kind,
        "block": step.block,
        "test": block.test if block else "",
        "item": step.item,
        "question": block.asked(study.item(step.item)) if block and step.kind == "trial" else "",
        "conditions": list(step.conditions),
        "response": kept,
        "correct": correct(study, step, kept),
        "comment": _text(answer.comment, "comment"),
        "reaction_ms": answer.reaction_ms,
        "plays": list(answer.plays),
        "listened_seconds": [round(seconds, 3) for seconds in answer.listened],
        "clip_seconds": [clip.seconds for clip in heard],
        "gain_db": [clip.gain_db for clip in heard],
        "clip_sha256": [clip.sha256 for clip in heard],
        "training": step.training,
        "catch": step.catch is not None,
        "repeat_of": step.repeat_of,
        "headphone_score": headphone_score,
        "versions": versions(),
        "utc": utc(),
    }


def versions() -> Mapping[str, str]:
    """What the page ran on."""
    return {"latent_edit": latent_edit.__version__, "python": platform.python_version(), "fastapi": version("fastapi")}
