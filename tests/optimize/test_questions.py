"""Yes/no questions are told from the others, and rise."""

from __future__ import annotations

import pytest
import torch

from latent_edit.editor import LatentEditor
from latent_edit.evaluation.questions import final_semitones, rising_share
from latent_edit.models.phonemes import encode_text
from latent_edit.optimize.questions import is_yes_no_question, rise_starts_at


@pytest.mark.parametrize(
    "text",
    [
        "Is it raining?",
        "You are coming?",
        '"Really?"',
        "When you arrive, will you call?",
        "Do you know what it is?",
        "It's late, isn't it?",
        "So you did what?",
    ],
)
def test_yes_no_questions(text: str) -> None:
    assert is_yes_no_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is raining.",
        "What is it?",
        "And why did he go?",
        "In which room is it?",
        "If he comes, what will you do?",
        "Well, how much is it?",
        "How nice!",
        "",
    ],
)
def test_statements_and_questions_with_a_question_word(text: str) -> None:
    assert not is_yes_no_question(text)


def test_a_rise_begins_with_the_last_stressed_syllable() -> None:
    sequence = encode_text("Is it raining?")
    start = rise_starts_at(sequence, [1] * len(sequence.symbols))
    assert sequence.symbols[start] == "\u02c8"
    assert "\u02c8" not in sequence.symbols[start + 1 :]
    assert rise_starts_at(encode_text(""), [1]) == 0


@pytest.mark.shipped
def test_shipped_voices_ask(shipped_editor: LatentEditor) -> None:
    def end(text: str, voice: str) -> float:
        waveform = shipped_editor.say(text, voice).waveform
        found = final_semitones(waveform.item(0).numpy(), waveform.sampling_rate)
        assert found is not None
        return found

    for voice in shipped_editor.voices:
        assert end("Are you coming with us?", voice) > max(1.0, end("You are coming with us.", voice))


def test_shares_count_what_was_measured() -> None:
    assert rising_share([1.0, -1.0, None, 2.0]) == pytest.approx(2 / 3)
    assert rising_share([None]) is None
    assert final_semitones(torch.zeros(16000).numpy(), 16000) is None
