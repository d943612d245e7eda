"""A prompt in tokens: words without accents and apostrophes, numbers, and the signs that part clauses."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:['’`][^\W\d_]+)*|[.;:!?()\[\]\n—–…|]|[,%+\-−/~]")
_REWRITTEN = {
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "⅓": "1/3",
    "⅔": "2/3",
    "×": " x ",
    "&": " and ",
    "w/o": "without",
    "w/ ": "with ",
}
_STOPS = frozenset(".;:!?()[]\n—–…|")


@dataclass(frozen=True)
class Token:
    """text: as matched, lower case; typed: as it was written; kind: "word", "number", "comma", "stop" or "sign"."""

    text: str
    typed: str
    kind: str


def tokenize(prompt: str) -> list[Token]:
    """The tokens of a prompt. "Don't SHOUT, café!" -> dont · shout · , · cafe · !"""
    for old, new in _REWRITTEN.items():
        prompt = prompt.replace(old, new)
    prompt = re.sub(r"(?<=\w)[-‐‑](?=[^\W\d_])", " ", prompt)  # "twenty-five", "low-pitched"
    return [_token(match.group()) for match in _TOKEN.finditer(unicodedata.normalize("NFC", prompt))]


def faces_in_words(prompt: str) -> tuple[str, list[str]]:
    """A prompt with emoji that are faces in the words of their names, without other emoji; a note about each."""
    notes = []
    for sign in dict.fromkeys(c for c in prompt if unicodedata.category(c) == "So"):
        name = unicodedata.name(sign, "").lower().replace("pouting", "enraged")  # as CLDR calls it
        said = " ".join(re.sub(r"\b(?:face|with|smiling eyes)\b", " ", name).split()) if "face" in name.split() else ""
        prompt = " ".join(prompt.replace(sign, f" {said} ").split())
        notes.append(f"{sign} is read as “{said}”." if said else f"{sign} has no effect.")
    return prompt, notes


def _token(typed: str) -> Token:
    if typed[0].isdigit():
        return Token(typed.replace(",", "."), typed, "number")
    if typed in _STOPS:
        return Token(typed, typed, "stop")
    if typed == ",":
        return Token(typed, typed, "comma")
    if not typed[0].isalpha():
        return Token(typed.replace("−", "-"), typed, "sign")
    plain = "".join(c for c in unicodedata.normalize("NFKD", typed.lower()) if not unicodedata.combining(c))
    return Token(re.sub(r"['’`]", "", plain), typed, "word")


def is_latin(word: str) -> bool:
    """Whether a word is written in Latin letters."""
    return all(not c.isalpha() or "LATIN" in unicodedata.name(c, "") for c in word)
