"""A request that exists is well formed; everything else is one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from latent_edit.errors import InputError
from latent_edit.request import MAX_SEED, EditRequest, choose, parse_words, read_record, record_notes


def request(**changes: Any) -> EditRequest:
    return EditRequest(**{"text": "Good morning.", "voice": "anna", "prompt": "a whisper", **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"text": ""}, "the text is empty"),
        ({"text": " \n\t "}, "the text is empty"),
        ({"text": "a" * 2001}, "has 2001 characters; the limit is 2000"),
        ({"text": None}, "the text must be words"),
        ({"text": "Hello \ud800"}, "the text contains broken characters"),
        ({"prompt": "calm \udcff"}, "the prompt contains broken characters"),
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": "  "}, "the prompt is empty"),
        ({"prompt": "a" * 301}, "has 301 characters; the limit is 300"),
        ({"prompt": 3}, "the prompt must be words"),
        ({"reference": Path("a.wav")}, "give one of the two"),
        ({"voice": ""}, "voice must be a name"),
        ({"voice": None}, "voice must be a name"),
        ({"method": ""}, "method must be a name"),
        ({"decode_voice": ""}, "decode_voice must be a name"),
        ({"correction": None}, "correction must be true or false, not None"),
        ({"guidance": -0.1}, "guidance must be a number from 0 to 10, not -0.1"),
        ({"guidance": 10.5}, "guidance must be a number from 0 to 10"),
        ({"guidance": float("nan")}, "guidance must be a number from 0 to 10, not nan"),
        ({"guidance": float("inf")}, "guidance must be a number"),
        ({"guidance": "2"}, "guidance must be a number from 0 to 10, not '2'"),
        ({"guidance": None}, "guidance must be a number"),
        ({"guidance": True}, "guidance must be a number"),
        ({"strength": 1.6}, "strength must be a number from 0 to 1.5"),
        ({"strength": -1}, "strength must be"),
        ({"strength": float("nan")}, "strength must be"),
        ({"steps": 0}, "steps must be a whole number from 1 to 100, not 0"),
        ({"steps": 101}, "steps must be a whole number"),
        ({"steps": 2.5}, "steps must be a whole number from 1 to 100, not 2.5"),
        ({"steps": float("nan")}, "steps must be a whole number"),
        ({"pace": 0.4}, "pace must be a number from 0.5 to 2"),
        ({"pace": 2.1}, "pace must be"),
        ({"pace": float("nan")}, "pace must be"),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295"),
        ({"seed": MAX_SEED + 1}, "seed must be"),
        ({"seed": 1.0}, "seed must be"),
        ({"prior_noise": -1.0}, "prior_noise must be"),
        ({"duration_noise": 3.0}, "duration_noise must be"),
    ],
)
def test_bad_values_are_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        request(**changes)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "a" * 2000, "prompt": "b" * 300},
        {"guidance": 0, "strength": 0, "steps": 1, "pace": 0.5, "seed": 0, "prior_noise": 0, "duration_noise": 0},
        {"guidance": 10.0, "strength": 1.5, "steps": 100, "pace": 2.0, "seed": MAX_SEED},
        {"prompt": "", "reference": Path("a.wav")},
        {"prompt": "", "reference": "a.wav"},
        {"decode_voice": "ben"},
    ],
)
def test_the_limits_themselves_are_allowed(changes: dict[str, Any]) -> None:
    assert request(**changes).voice == "anna"


def test_a_wrong_name_gets_a_suggestion_and_the_list() -> None:
    assert choose("voice", "anna", ["anna", "ben"]) == "anna"
    with pytest.raises(InputError, match=r"there is no voice 'ana'; did you mean 'anna'[?] known: anna, ben"):
        choose("voice", "ana", ["anna", "ben"])
    with pytest.raises(InputError, match="there is no voice 'zzz'; known: anna, ben"):
        choose("voice", "zzz", ["anna", "ben"])


def written(folder: Path, content: object) -> Path:
    path = folder / "edit.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_request_survives_its_record(tmp_path: Path) -> None:
    original = request(guidance=0.1 + 0.2, pace=1.25, seed=MAX_SEED, decode_voice="ben")
    path = written(tmp_path, {"request": original.to_dict(), "provenance": {}})
    assert EditRequest.from_json(path) == original


def test_a_recorded_reference_lies_beside_the_record(tmp_path: Path) -> None:
    original = request(prompt="", reference="reference.wav")
    path = written(tmp_path, {"request": original.to_dict(), "provenance": {}})
    assert EditRequest.from_json(path).reference == tmp_path / "reference.wav"


def test_a_record_of_an_earlier_version_is_opened_with_a_note(tmp_path: Path) -> None:
    original = request(correction=False)
    older = {name: value for name, value in original.to_dict().items() if name not in ("correction", "axes")}
    path = written(tmp_path, {"request": {**older, "landing": False}, "provenance": {}})
    assert EditRequest.from_json(path) == original
    (note,) = record_notes(read_record(path))
    assert "'landing'" in note and "'correction'" in note
    assert record_notes({"request": original.to_dict()}) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        {"request": {"text": "a"}},
        {"request": {"text": "a", "voice": "b"}, "provenance": {}},
        {"request": {**request().to_dict(), "extra": 1}, "provenance": {}},
        {"request": {**request().to_dict(), "steps": "ten"}, "provenance": {}},
        {"request": {**request().to_dict(), "guidance": float("nan")}, "provenance": {}},
        {"request": [], "provenance": {}},
        {"request": request().to_dict(), "provenance": None},
    ],
)
def test_what_is_no_record_is_said_so(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError):
        EditRequest.from_json(written(tmp_path, content))


def test_a_missing_record_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        EditRequest.from_json(tmp_path / "edit.json")
    with pytest.raises(InputError, match="cannot read"):
        EditRequest.from_json(tmp_path)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", None), (" ", None), ("3", (3, 3)), ("3-5", (3, 5)), (" 3 – 5 ", (3, 5)), ("12-12", (12, 12))],
)
def test_words_to_change_are_read(typed: str, words: tuple[int, int] | None) -> None:
    assert parse_words(typed) == words


@pytest.mark.parametrize("typed", ["0", "5-3", "-1", "a", "3-", "3-5-7", "1.5", "9999999"])
def test_words_that_are_no_range_are_refused(typed: str) -> None:
    with pytest.raises(InputError, match="words must be"):
        parse_words(typed)


@pytest.mark.parametrize("words", [(0, 1), (2, 1), (1,), (1.0, 2.0), (True, 2), "12", 3])
def test_words_are_two_whole_numbers(words: object) -> None:
    with pytest.raises(InputError, match="words must be"):
        EditRequest("It rains.", "anna", "calm", words=words)  # type: ignore[arg-type]


def test_a_recording_has_no_words_to_mark() -> None:
    with pytest.raises(InputError, match="of a text only"):
        EditRequest("", "anna", "calm", recording=Path("clip.wav"), words=(1, 2))


def test_words_come_back_from_a_record(tmp_path: Path) -> None:
    request = EditRequest("It rains.", "anna", "calm", words=(1, 2))
    record = tmp_path / "edit.json"
    record.write_text(json.dumps({"request": request.to_dict(), "provenance": {}}))
    assert EditRequest.from_json(record) == request
