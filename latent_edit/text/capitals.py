"""Words in capitals: emphasised words, acronyms that are words, and letters one by one; codes of letters and digits."""

from __future__ import annotations

import re

from latent_edit.text.numbers import cardinal, digits, pairs
from latent_edit.text.record import Record
from latent_edit.text.rules import spelt
from latent_edit.text.tables import words

WORD = re.compile(r"(?<![\w'])([A-Z]{2,}(?:'[A-Z]+)?|[A-Z])(s|'s|'S)?(?![\w])")
CAMEL = re.compile(r"(?<![\w'])([a-z]+)([A-Z]{2,})(?![\w])")
VOWELLESS = re.compile(r"(?<![\w'-])[b-df-hj-np-tv-xz]{2,5}(?![\w'-])")
SOUNDS = frozenset(
    [
        "hm",
        "hmm",
        "hmmm",
        "mm",
        "mmm",
        "mhm",
        "sh",
        "shh",
        "shhh",
        "ssh",
        "psst",
        "pst",
        "pfft",
        "brr",
        "brrr",
        "grr",
        "grrr",
        "tsk",
        "zzz",
        "nth",
        "th",
        "st",
        "nd",
        "rd",
    ]
)
CODE = re.compile(
    r"(?<![\w'-])(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?![\w])|(?<![\w'-])[A-Za-z]{1,5}-\d+\b"
)
ONSETS = re.compile(
    r"(?:[bcdfghjklmnpqrstvwxyz]|qu|[bcdfgkpst]r|[bcfgkps]l|s[cktpmnqw]|s[cpt]r|spl|squ|sh|ch|th|ph|wh|kn|gn|wr|tw|dw|sch|thr|shr|chr|phr)?[aeiouy]"
)
CODAS = re.compile(
    r"[aeiouy](?:[bcdfghklmnprstvwxyz]|[bcdfgklmnprst]s|ll|ss|ff|zz|tt|dd|gg|nn|rr|ck|ng|nk|nt|nd|nc|mp|mb|lt|ld|lk|lf|lp|lm|rt|rd|rk|rn|rm|rp|rb|rl|rs|rv|st|sk|sp|ct|pt|ft|xt|th|ch|sh|ph|gh|tch|ght|ngth|rst|nch|rch|lth|rth|nth|mpt|mps|nds|nts|rds|rts|cks|ngs|sts|lls|lds|rks|lps|ths|pts|cts|wn|wl|wk|wd|mn|gn|rf|rc|lv|lve|ws|ys)?$"
)


def pronounceable(word: str) -> bool:
    """Whether a group of letters looks like an English word: vowels between clusters that English has."""
    word = word.lower()
    if not ONSETS.match(word) or not CODAS.search(word):
        return False
    return not re.search(r"[bcdfghjklmnpqrstvwxz]{4,}|[aeiou]{4,}|(.)\1\1|q(?!u)", word)


def _is_word(word: str, shouted: bool) -> bool:
    plain = word.replace("'", "")
    if "'" in word:  # DON'T
        return True
    if plain in words("word_acronyms"):
        return True
    if plain in words("acronyms") or plain in words("spelt_long"):
        return False
    if plain in ("IT", "US", "WHO") and not shouted:
        return False
    if plain.lower() in words("short_words"):
        return True
    return len(plain) > 3 and pronounceable(plain)


def read_capitals(text: str, record: Record) -> str:
    """Capitals in the words of a paragraph. In a shouted one (two words of capitals or more side by side) every word of
    English is a word; alone, IT, US and WHO are letters."""

    def replace(match: re.Match[str]) -> str:
        word, ending = match[1], (match[2] or "").lower()
        if len(word) == 1:
            return match.group()
        if len(word) == 2 and word in ("OK",):
            return "okay" + ending
        if _is_word(word, _shouted(match)):
            return word.lower() if word not in words("word_acronyms") else word.capitalize() + ending
        return spelt(word, record) + ("'s" if ending else "")

    text = CAMEL.sub(
        lambda match: f"{match[1]} {spelt(match[2], record)}" if len(match[1]) > 1 else spelt(match.group(), record),
        text,
    )
    text = WORD.sub(replace, text)
    return VOWELLESS.sub(lambda match: match.group() if match.group() in SOUNDS else spelt(match.group(), record), text)


def _shouted(match: re.Match[str]) -> bool:
    """Whether a neighbour is a word in capitals as well."""
    before = re.search(r"([A-Za-z']+)[,.!?;:]?\s$", match.string[: match.start()])
    after = re.match(r"[,.!?;:]?\s([A-Za-z']+)", match.string[match.end() :])
    near = [x[1] for x in (before, after) if x]
    return any(x.isupper() and (len(x) > 1 or x in ("I", "A")) and x not in words("acronyms") for x in near)


def read_codes(text: str, record: Record) -> str:
    """Groups of letters and digits: "MP3" -> "MP three", "COVID-19" -> "COVID nineteen", "A380" -> "A three eighty"."""

    def replace(match: re.Match[str]) -> str:
        parts = re.findall(r"[A-Za-z]+|\d+", match.group())
        return " ".join(_figures(x) if x.isdigit() else _letters(x, record) for x in parts)

    return CODE.sub(replace, text)


def _figures(figures: str) -> str:
    if figures[0] == "0" or len(figures) > 4:
        return digits(figures)
    return cardinal(int(figures)) if len(figures) < 3 else pairs(figures)


def _letters(letters: str, record: Record) -> str:
    if len(letters) == 1:
        return letters.upper() if letters != "a" else "A"
    if letters.islower() and pronounceable(letters):
        return letters
    if letters.isupper() or not pronounceable(letters):
        return letters if letters.isupper() else spelt(letters, record)
    return letters
