"""Long text into pieces; yes/no questions are told from the others."""

from __future__ import annotations

import pytest

from latent_edit.sentences import (
    CLAUSE_PAUSE_SECONDS,
    ELLIPSIS_PAUSE_SECONDS,
    MAX_PIECE_CHARACTERS,
    SENTENCE_PAUSE_SECONDS,
    is_yes_no_question,
    split_sentences,
)
from latent_edit.text import normalise


def texts(text: str) -> list[str]:
    return [piece.text for piece in split_sentences(normalise(text).words)]


@pytest.mark.parametrize(
    "pieces",
    [
        ["One sentence without an end"],
        ["This is one.", "This is two!", "Is this three?", "Yes."],
        ["Mr. Brown met Dr. Smith, e.g. on Monday, i.e. at noon."],
        ["It costs 3.5 pounds.", "That is 1,000.25 times more."],
        ["See No. 5 and Fig. 3 on p. 7."],
        ["No.", "I will not."],
        ["The U.S. economy grew at 5 p.m. yesterday."],
        ["We met at 5 p.m.", "Then we left."],
        ["J. R. Smith wrote it."],
        ["So do I.", "She does not."],
        ['"Stop!" he said.', "She stopped."],
        ['He said, "Go."', "They went."],
        ["Wait... what is that?"],
        ["Well...", "That is that."],
        ["Apples, pears, etc. are fruit.", "He sells apples, etc.", "She does not."],
        ["all in lower case.", "still two sentences."],
        ["Really?!", "Yes."],
        ["On Jan. 5 it rained.", "It was wet."],
        ["We meet on Wed. at noon.", "Come."],
        ["Take vitamin C.", "It helps.", "Ask J. Smith."],
        ["The door is 3 ft. wide.", "It is 7 ft. high."],
        ["He lives on Elm St.", "She does not."],
        ["Write to a.b@c.org.", "Go to x.com.", "Read file.txt."],
    ],
)
def test_sentences(pieces: list[str]) -> None:
    assert texts(" ".join(pieces)) == [normalise(piece).words for piece in pieces]


def test_white_space_and_control_characters() -> None:
    assert texts("  One\ttwo\nthree.\r\n\r\nA heading\n\nAnd\x00 then\u200b this.  ") == [
        "One two three.",
        "A heading",
        "And then this.",
    ]
    assert texts("\ud800 broken") == ["broken"]
    assert texts("cafe\u0301") == ["caf\u00e9"]
    assert texts(" \n \n ") == []


def test_marks_alone_stay_with_the_sentence_before() -> None:
    assert [x.text for x in split_sentences("Hello there. ... Good bye.")] == ["Hello there. ...", "Good bye."]
    assert [x.text for x in split_sentences("...")] == ["..."]
    assert texts("...") == []


def test_long_sentences_are_split_after_commas_and_nothing_is_lost() -> None:
    sentence = ", ".join(f"this is clause number {i} of a very long sentence" for i in "abcdefghijklmnopqrst") + "."
    pieces = split_sentences(sentence + " Short one.")
    assert len(pieces) > 3
    assert all(len(piece.text) <= MAX_PIECE_CHARACTERS for piece in pieces)
    assert all(piece.text.endswith(",") for piece in pieces[:-2])
    assert " ".join(piece.text for piece in pieces) == sentence + " Short one."
    assert {piece.pause_seconds for piece in pieces[:-2]} == {CLAUSE_PAUSE_SECONDS}
    assert [piece.pause_seconds for piece in pieces[-2:]] == [SENTENCE_PAUSE_SECONDS] * 2


def test_run_on_text_is_cut_where_a_phrase_begins() -> None:
    sentence = "we walked along the river and watched the boats that carried people home " * 6
    pieces = texts(sentence)
    assert all(len(piece) <= MAX_PIECE_CHARACTERS for piece in pieces)
    assert " ".join(pieces) == sentence.strip()
    assert {piece.split()[0] for piece in pieces[1:]} <= {"and", "that"}


def test_a_long_row_of_words_is_cut_between_words() -> None:
    sentence = "word " * 150
    pieces = texts(sentence)
    assert all(len(piece) <= MAX_PIECE_CHARACTERS for piece in pieces)
    assert " ".join(pieces) == sentence.strip()


def test_one_endless_word_stays_whole() -> None:
    assert [x.text for x in split_sentences("a" * 2000)] == ["a" * 2000]


def test_an_ellipsis_pauses_longer_than_a_full_stop() -> None:
    trailing, ended = split_sentences("Well\u2026 That is that.")
    assert (trailing.pause_seconds, ended.pause_seconds) == (ELLIPSIS_PAUSE_SECONDS, SENTENCE_PAUSE_SECONDS)


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
