"""Long text into pieces that a voice reads in one breath, each with the pause that follows it."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

MAX_PIECE_CHARACTERS = 240  # about 15 seconds; the voices were trained on single sentences
SENTENCE_PAUSE_SECONDS, CLAUSE_PAUSE_SECONDS = 0.35, 0.15

# Never the end of a sentence ...
TITLES = frozenset(["mr", "mrs", "ms", "mx", "dr", "prof", "st", "mt", "gen", "col", "capt", "lt", "sgt", "rev", "hon"])
LATIN = frozenset(["e.g", "i.e", "eg", "ie", "cf", "vs", "viz", "ca", "approx"])
# ... never before a number ("No. 5", but "No. I will not.") ...
BEFORE_NUMBERS = frozenset(["no", "nos", "fig", "figs", "vol", "ch", "p", "pp", "sec", "eq", "art", "op"])
MONTHS = frozenset(["jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"])
# ... and only where a capital letter follows.
BEFORE_CAPITALS = frozenset(["etc", "inc", "ltd", "co", "corp", "jr", "sr", "al", "ave", "blvd", "rd", "dept", "est"])

# Marks that can end a sentence, with closing quotes or brackets, and the space after them.
BOUNDARY = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]\u00bb]*\s+")
CLAUSE = re.compile(r"(?<=[,;:\u2014\u2013])\s+")
PARAGRAPH = re.compile(r"\n\s*\n")


class Piece(NamedTuple):
    """Something to read, and how long to be silent after it."""

    text: str
    pause_seconds: float


def split_sentences(text: str) -> list[Piece]:
    """Pieces of at most about 240 characters in reading order; nothing that can be pronounced is lost.

    Ends of sentences are found by their marks, not after abbreviations (Mr., e.g., J.) nor inside numbers (3.5). A
    longer sentence is split after commas and the like, or, without any, between words.
    """
    pieces: list[Piece] = []
    for paragraph in PARAGRAPH.split(_printable(text)):
        for sentence in _sentences(" ".join(paragraph.split())):
            clauses = _clauses(sentence)
            pieces += [Piece(clause, CLAUSE_PAUSE_SECONDS) for clause in clauses[:-1]]
            pieces.append(Piece(clauses[-1], SENTENCE_PAUSE_SECONDS))
    return pieces


def _printable(text: str) -> str:
    """Composed characters, with control and format characters (which would end a C string) as spaces."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(x if x == "\n" or not unicodedata.category(x).startswith("C") else " " for x in composed)


def _sentences(text: str) -> list[str]:
    """`text` has single spaces only. Parts without a letter or digit (a lone "...") join the sentence before them."""
    parts, start = [], 0
    for match in BOUNDARY.finditer(text):
        if _ends_sentence(text[start : match.start()], match.group(), text[match.end() :]):
            parts.append(text[start : match.end()].strip())
            start = match.end()
    parts.append(text[start:].strip())
    sentences: list[str] = []
    for part in filter(None, parts):
        if sentences and not any(x.isalnum() for x in part):
            sentences[-1] += " " + part
        else:
            sentences.append(part)
    return sentences


def _ends_sentence(before: str, marks: str, after: str) -> bool:
    following = after.lstrip("\"'\u201c\u2018([\u00ab\u00bf\u00a1")[:1]
    if marks.strip() != ".":  # !, ?, ... or a closing quote: "Stop!" he said
        return not following.islower()
    word = before.rsplit(" ", 1)[-1].lstrip("\"'\u201c\u2018([").lower()
    if word in TITLES | LATIN:
        return False
    if word in BEFORE_NUMBERS | MONTHS:
        return not following.isdigit()
    if re.fullmatch(r"[^\W\d_]", word) and word != "i":  # an initial, as in J. Smith
        return False
    if word in BEFORE_CAPITALS or "." in word:  # "." inside: a.m, U.S
        return not (following.islower() or following.isdigit())
    return True


def _clauses(sentence: str) -> list[str]:
    """The sentence itself, or, when it is too long, its clauses (if need be its words) gathered into long pieces."""
    if len(sentence) <= MAX_PIECE_CHARACTERS:
        return [sentence]
    parts = [
        word
        for clause in CLAUSE.split(sentence)
        for word in ([clause] if len(clause) <= MAX_PIECE_CHARACTERS else clause.split(" "))
    ]
    gathered = [parts[0]]
    for part in parts[1:]:
        if len(gathered[-1]) + 1 + len(part) <= MAX_PIECE_CHARACTERS:
            gathered[-1] += " " + part
        else:
            gathered.append(part)
    return gathered
