"""E-mail and web addresses, files, handles, telephone numbers, versions: read with their dots and digits."""

from __future__ import annotations

import re

from latent_edit.text.numbers import cardinal, digits, spoken
from latent_edit.text.record import Record
from latent_edit.text.rules import Rule, rule, spelt
from latent_edit.text.tables import any_of, table

SUFFIXES = table("suffixes")
MARKS = {
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "_": "underscore",
    "@": "at",
    ":": "colon",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    "~": "tilde",
    "+": "plus",
    "%": "percent",
}
PATH = r"(?:[/?#][\w/?#.=&%+~:@-]*[\w/=])?"
DOMAINS = any_of(
    x
    for x in SUFFIXES
    if x
    in {
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "info",
        "io",
        "ai",
        "co",
        "uk",
        "us",
        "de",
        "fr",
        "eu",
        "ca",
        "au",
        "tv",
        "me",
        "app",
        "dev",
        "biz",
    }
)
FILES = any_of(x for x in SUFFIXES if x not in {"com", "org", "net", "gov", "info", "me", "co", "us"})


def address(text: str, record: Record) -> str:
    """An address in words: its parts, with "dot" and "slash" between them."""
    parts = re.findall(r"[A-Za-z']+|\d+|.", text)
    read: list[str] = []
    for index, part in enumerate(parts):
        if part.isdigit():
            read.append(cardinal(int(part)) if len(part) < 3 and part[0] != "0" else _number_in_address(part))
        elif part.isalpha():
            after_dot = index > 0 and parts[index - 1] == "."
            read.append(SUFFIXES[part.lower()] if after_dot and part.lower() in SUFFIXES else _name(part, record))
        else:
            read.append(MARKS.get(part, part))
    return " ".join(read)


def _number_in_address(part: str) -> str:
    return digits(part)


def _name(part: str, record: Record) -> str:
    if part.lower() == "www":
        return "W-W-W"
    if len(part) > 1 and not re.search(r"[aeiouy]", part.lower()):
        return spelt(part, record)
    return part


def _web(match: re.Match[str], record: Record) -> str:
    return address(re.sub(r"^(?:https?|ftp)://", "", match.group()).rstrip("/"), record)


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+|[A-Z]{2,}", match.group())
    plus = "plus " if match.group().startswith("+") else ""
    return plus + ", ".join(digits(x) if x.isdigit() else x.lower() for x in groups)


def _version(match: re.Match[str]) -> str:
    words = " point ".join(cardinal(int(x)) if len(x) < 3 else digits(x) for x in match[2].split("."))
    return ("version " if match[1] else "") + words


def _handle(match: re.Match[str]) -> str:
    return "at " + _split(match[1])


def _hashtag(match: re.Match[str]) -> str:
    return "hashtag " + _split(match[1])


def _split(name: str) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)", " ", name)
    return name.replace("_", " ").strip()


def address_rules(record: Record) -> list[Rule]:
    """Rules for what has an address."""
    return [
        rule(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", lambda m: address(m.group(), record)),
        rule(r"\b(?:https?|ftp)://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]", lambda m: _web(m, record)),
        rule(rf"\bwww\.[\w-]+(?:\.[\w-]+)+{PATH}", lambda m: _web(m, record), re.IGNORECASE),
        rule(
            rf"(?<![\w.@])[a-z][\w-]*(?:\.[\w-]+)*\.{DOMAINS}\b(?!\.\w){PATH}", lambda m: _web(m, record), re.IGNORECASE
        ),
        rule(rf"(?<![\w.])[\w-]*[A-Za-z_][\w-]*\.{FILES}\b(?!\.\w)", lambda m: address(m.group(), record)),
        rule(
            r"(?<!\w)\.(NET|js|env|exe|txt|pdf|csv|py)\b", lambda m: "dot " + (SUFFIXES.get(m[1].lower(), m[1].lower()))
        ),
        rule(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", lambda m: " dot ".join(digits(x) for x in m.group().split("."))),
        rule(r"\b([vV](?:er(?:sion)?)?\.?\s?)?(?!\d\d?\.\d\d?\.\d{4}\b)(\d+(?:\.\d+){2,})\b", _version),
        rule(r"\b([vV])\.?(\d+(?:\.\d+)*)\b", _version),
        rule(r"(?<![\w&])@([A-Za-z]\w+)", _handle),
        rule(r"(?<![\w&])#(\d+)\b", lambda m: f"number {spoken(m[1])}"),
        rule(r"(?<![\w&])#([A-Za-z]\w+)", _hashtag),
    ]


TELEPHONE_RULES = [
    rule(r"(?<![\w.])\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,5}(?![\w-])", _telephone),
    rule(r"(?<![\w.-])(?:1[-\s.])?\(?\d{3}\)?[-\s.]\d{3}[-\s.]\d{4}(?![\w-])", _telephone),
    rule(r"(?<![\w.-])1-\d{3}-(?:\d{3}-\d{4}|[A-Z]{4,})\b", _telephone),
    rule(r"(?<![\w.,-])\d{3}-\d{4}(?![\w-])", _telephone),
    rule(r"(?<![\w.,-])0\d{2,4}[\s-]\d{3,4}(?:[\s-]\d{3,4})?(?![\w-])", _telephone),
    rule(r"(?<![\w.,-])\d{3}-\d{2}-\d{4}(?![\w-])", _telephone),
    rule(r"(?<![\w.,-])\d{4}[\s-]\d{4}[\s-]\d{4}[\s-]\d{4}(?![\w-])", _telephone),
    rule(
        r"(?i)(?<=\bcall )\d{3}\b(?![\s-]?\w*(?:s|people)\b)|(?<=\bdial )\d{3,}\b|\b(?:911|999)\b(?=\scall)",
        _telephone,
    ),
    rule(
        r"(?<![\w.,$\u00a3\u20ac-])\d{7,}(?![\w]|[.,]\d)",
        lambda m: m.group() if m.group().endswith("000") else _telephone(m),
    ),
]
