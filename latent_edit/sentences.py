"""Long text into pieces that a voice reads in one breath, each with the pause that follows it; yes/no questions."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_PIECE_CHARACTERS = 240  # about 15 seconds; the voices were trained on single sentences
SENTENCE_PAUSE_SECONDS, ELLIPSIS_PAUSE_SECONDS, CLAUSE_PAUSE_SECONDS = 0.35, 0.5, 0.15

EDGE = 0.3  # of a sentence at either end, in which it is not cut: no shreds

# Marks that can end a sentence, with closing quotes or brackets, and the space after them.
BOUNDARY = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]\u00bb]*\s+")
PARAGRAPH = re.compile(r"\n\s*\n")
# Where a sentence that is too long may be cut, the best first: after a mark, then before the words that begin a phrase.
CUTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<=[;:\u2014\u2026])\s",
        r"(?<=,)\s",
        r"\s(?=(?:and|but|or|nor|so|yet|because|although|though|while|when|where|which|who|that|if|unless|until|then)\s)",
        r"\s(?=(?:after|before|with|without|for|from|into|over|under|about|between|through|during|in|on|at|by|to|of)\s)",
        r"\s",
    )
)

# How clauses open: a question with one of these words falls like a statement, one with a verb asks for yes or no.
QUESTION_WORDS = r"(?:what|who|whom|whose|which|when|where|why|how)(?:'s|'re|'d|'ll|'ve)?"
BEFORE_QUESTION_WORDS = (
    r"(?:and|but|so|or|then|well|now|oh|okay|yes|no|hey|in|at|to|for|from|with|of|by|on|about|since|until)"
)
OPENS_WITH_QUESTION_WORD = re.compile(rf"\W*(?:{BEFORE_QUESTION_WORDS}\W+){{0,2}}{QUESTION_WORDS}\b", re.IGNORECASE)
OPENS_WITH_VERB = re.compile(
    r"\W*(?:am|is|are|was|were|do|does|did|have|has|had|will|would|can|could|shall|should|may|might|must)(?:n't)?\b",
    re.IGNORECASE,
)


class Piece(NamedTuple):
    """Something to read, and how long to be silent after it."""

    text: str
    pause_seconds: float


def split_sentences(text: str) -> list[Piece]:
    """Pieces of a normalised text (`text.normalise`), at most about 240 characters each, in reading order.

    A sentence ends at its mark; normalised text has no other full stops (Mr., e.g., 3.5).
    A longer sentence is cut after marks, or else before the word that begins a phrase. Nothing is lost.
    """
    pieces: list[Piece] = []
    for paragraph in PARAGRAPH.split(text):
        for sentence in _sentences(" ".join(paragraph.split())):
            clauses = _cut(sentence)
            pieces += [Piece(clause, CLAUSE_PAUSE_SECONDS) for clause in clauses[:-1]]
            trailing = clauses[-1].rstrip("\"'").endswith(("\u2026", "..."))
            pieces.append(Piece(clauses[-1], ELLIPSIS_PAUSE_SECONDS if trailing else SENTENCE_PAUSE_SECONDS))
    return pieces


def spoken_words(text: str) -> list[str]:
    """Words of a normalised text as they are counted: what stands between spaces and has a letter or digit."""
    return [word for word in text.split() if any(character.isalnum() for character in word)]


def _sentences(text: str) -> list[str]:
    """`text` has single spaces only. Parts without a letter or digit (a lone "...") join the sentence before them."""
    parts, start = [], 0
    for match in BOUNDARY.finditer(text):
        if _ends_sentence(match.group(), text[match.end() :]):
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


def _ends_sentence(marks: str, after: str) -> bool:
    """A full stop does; !, ?, an ellipsis or a closing quote ("Stop!" he said) only where no small letter follows."""
    return marks.strip() == "." or not after.lstrip("\"'\u201c\u2018([\u00ab\u00bf\u00a1")[:1].islower()


def _cut(sentence: str) -> list[str]:
    """The sentence itself or, when it is too long, its parts: cut as near to the middle as the best kind of cut is."""
    if len(sentence) <= MAX_PIECE_CHARACTERS:
        return [sentence]
    for kind in CUTS:
        inside = [
            match
            for match in kind.finditer(sentence)
            if EDGE * len(sentence) <= match.start() <= (1 - EDGE) * len(sentence)
        ]
        if inside:
            best = min(inside, key=lambda match: abs(match.start() - len(sentence) / 2))
            return [*_cut(sentence[: best.start()]), *_cut(sentence[best.end() :])]
    first, space, rest = sentence.partition(" ")  # an endless word stays whole
    return [first, *_cut(rest)] if space else [sentence]


def is_yes_no_question(text: str) -> bool:
    """Whether a sentence ends with a question mark, and its last clause opens with no question word."""
    if not text.rstrip().rstrip("\"')\u201d\u2019").endswith("?"):
        return False
    last = re.split(r"[,;:\u2014]\s", text)[-1]
    if OPENS_WITH_VERB.match(last):
        return True
    return not (OPENS_WITH_QUESTION_WORD.match(last) or OPENS_WITH_QUESTION_WORD.match(text))
