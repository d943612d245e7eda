"""Punctuation that a voice can read: pauses for brackets, dashes and dots; quotation marks and leftovers away."""

from __future__ import annotations

import re

from latent_edit.text.record import Record
from latent_edit.text.rules import apply, rule

DASH, ELLIPSIS = "\u2014", "\u2026"

PUNCTUATION_RULES = [
    rule(r"(?<=\w)-\n\s*(?=[a-z])", lambda _: ""),  # a word divided at the end of a line
    rule(r"\s*\.(?:\s?\.)+(?:\s*\.)*", lambda _: ELLIPSIS + " "),
    rule(rf"{ELLIPSIS}(?:\s*[.{ELLIPSIS}])+", lambda _: ELLIPSIS),
    rule(r"(?<=\w)\s*[\u2013\u2014]\s*(?=\w)|\s-{1,3}\s|(?<=\w)-{2,}(?=\w)|-{2,}", lambda _: f" {DASH} "),
    rule(r"[\u2013\u2014]+", lambda _: f" {DASH} "),
    rule(r"(?<!\w)'n'?(?!\w)|(?<=\w)\s?'n'\s?(?=\w)", lambda _: " and "),
    rule(r"(?<!\w)'([^'\n]*(?:\w'\w[^'\n]*)*)'(?!\w)", lambda m: m[1]),
    rule(r"(?<!\w)'(?=\w)|(?<![sn\w])'(?!\w)|(?<=[.,!?])'", lambda _: ""),
    rule(r"(?<=\w)\s*[(\[{]\s*", lambda _: ", "),
    rule(r"\s*[)\]}]\s*(?=[.,!?;:]|$|\n)", lambda _: ""),
    rule(r"\s*[)\]}]\s*", lambda _: ", "),
    rule(r"[(\[{]", lambda _: " "),
    rule(r"(?<=\w)_+(?=\w)", lambda _: " "),
    rule(r"(?<=[.!?])(?:\s?[*#]+)", lambda _: ""),
]
TIDY_RULES = [
    rule(r"[ \t]+", lambda _: " "),
    rule(r"\s+([,.!?;:\u2026])", lambda m: m[1]),
    rule(r"([,;:]\s?)+([,;:\u2014])", lambda m: m[2]),
    rule(r"([\u2014])(?:\s?[,;:\u2014])+", lambda m: m[1]),
    rule(r"([!?])[!?.]*", lambda m: "?" if "?" in m.group() else "!"),
    rule(r",(?=[.!?\u2026])|[,;:\u2014]\s*(?=$|\n)", lambda _: ""),
    rule(r"\u2026\.", lambda _: "\u2026"),
    rule(r"(?:^|(?<=\n))[\s,;:.!?\u2014\u2026]+", lambda _: ""),
    rule(r"([,;:!?.\u2026])(?=[A-Za-z])", lambda m: m[1] + " "),
    rule(r" {2,}", lambda _: " "),
]


def plain_punctuation(text: str) -> str:
    """Brackets and dashes as pauses, quotation marks as plain ones or none."""
    return apply(PUNCTUATION_RULES, text)


def tidy(text: str, record: Record) -> str:
    """What nothing reads is left out and noted; marks stand once, with the space that belongs to them."""
    text = re.sub(r"[^\w\s,.!?;:'\"\u2014\u2026-]+|_+", lambda m: record.leave_out(m.group()) + " ", text)
    return apply(TIDY_RULES, text).strip()
