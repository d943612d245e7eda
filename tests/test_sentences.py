"""Long text into pieces."""

from __future__ import annotations

import pytest

from latent_edit.sentences import (
    CLAUSE_PAUSE_SECONDS,
    MAX_PIECE_CHARACTERS,
    SENTENCE_PAUSE_SECONDS,
    split_sentences,
)


def texts(text: str) -> list[str]:
    return [piece.text for piece in split_sentences(text)]


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
    ],
)
def test_sentences(pieces: list[str]) -> None:
    assert texts(" ".join(pieces)) == pieces


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
    assert texts("Hello there. ... Good bye.") == ["Hello there. ...", "Good bye."]
    assert texts("...") == ["..."]


def test_long_sentences_are_split_after_commas_and_nothing_is_lost() -> None:
    sentence = ", ".join(f"this is clause number {i} of a very long sentence" for i in range(20)) + "."
    pieces = split_sentences(sentence + " Short one.")
    assert len(pieces) > 3
    assert all(len(piece.text) <= MAX_PIECE_CHARACTERS for piece in pieces)
    assert all(piece.text.endswith(",") for piece in pieces[:-2])
    assert " ".join(piece.text for piece in pieces) == sentence + " Short one."
    assert {piece.pause_seconds for piece in pieces[:-2]} == {CLAUSE_PAUSE_SECONDS}
    assert [piece.pause_seconds for piece in pieces[-2:]] == [SENTENCE_PAUSE_SECONDS] * 2


def test_a_long_sentence_without_commas_is_split_between_words() -> None:
    sentence = "word " * 150
    pieces = texts(sentence)
    assert all(len(piece) <= MAX_PIECE_CHARACTERS for piece in pieces)
    assert " ".join(pieces) == sentence.strip()


def test_one_endless_word_stays_whole() -> None:
    assert texts("a" * 2000) == ["a" * 2000]
