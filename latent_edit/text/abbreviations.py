"""Abbreviations, roman numerals and symbols in words."""

from __future__ import annotations

import re

from latent_edit.text.numbers import cardinal, ordinal, pairs, roman, spoken, year
from latent_edit.text.record import Record
from latent_edit.text.rules import Rule, rule, spelt
from latent_edit.text.tables import any_of, table, words

TITLES, STREETS, NUMBERED, SYMBOLS = table("titles"), table("streets"), table("numbered"), table("symbols")
ABBREVIATIONS, CONTRACTIONS, STATES = table("abbreviations"), table("contractions"), table("states")
NAME = r"(?=\s+[\"']?[A-Z])"
SENTENCE_BEGINS = re.compile(r"[\"')\]]*(?:\s+[\"'(]?[A-Z]|\s*$)")
ALWAYS_TITLES = (
    "mr",
    "mrs",
    "ms",
    "mx",
    "dr",
    "prof",
    "messrs",
    "sgt",
    "capt",
    "lt",
    "col",
    "gen",
    "rev",
    "gov",
    "sen",
    "st",
)


# After the letter of "vitamin C." they begin a sentence; after "J." comes a name.
BEGINNERS = (
    r"(?:The|It|He|She|They|We|You|This|That|Then|There|In|On|At|But|And|So|If|When|An|My|Is|Are|Do|Not|No|Yes)\b"
)


def _capitalised(entries: list[str]) -> str:
    return any_of([form for x in entries for form in (x.capitalize(), x.upper())])


def _final(match: re.Match[str], name: str) -> str:
    """The full stop of an abbreviation where it may also be that of the sentence."""
    after = match.string[match.end() :]
    if re.match(r"[\"')\]]*\s*$", after):
        return "."
    return "." if name in words("sentence_final") and SENTENCE_BEGINS.match(after) else ""


def _abbreviation(match: re.Match[str], record: Record) -> str:
    name = match["name"].lower()
    read = str(ABBREVIATIONS[name])
    if "-" in read:
        record.spell(match["name"])
    if match["name"][0].isupper() and not read[0].isupper():
        read = read.capitalize()
    return read + _final(match, name)


def _letters(match: re.Match[str], record: Record) -> str:
    letters = match["letters"].replace(".", "")
    name = match["letters"].lower().rstrip(".")
    if letters.lower() in ("am", "pm"):
        letters = letters.upper()
    return spelt(letters, record) + (
        _final(match, name if len(letters) > 1 else "") if match.group().endswith(".") else ""
    )


def _street(match: re.Match[str]) -> str:
    return f" {STREETS[match['name'].lower()]}" + (_final(match, "ave") if match.group().endswith(".") else "")


def _roman_name(match: re.Match[str]) -> str:
    number = roman(match["numeral"])
    return match.group() if number is None else f"{match['name']} the {ordinal(number)}"


def _roman_number(match: re.Match[str]) -> str:
    number = roman(match["numeral"])
    return match.group() if number is None else f"{match['name']} {cardinal(number)}"


def _roman_year(match: re.Match[str]) -> str:
    number = roman(match.group())
    return year(number) if number and 1000 < number < 2100 else match.group()


REGNAL, TITLED = any_of(words("regnal")), any_of(words("regnal_titles"))
ROMAN_RULES = [
    rule(rf"\b(?P<name>(?:{REGNAL}|{TITLED}\s[A-Z][a-z]+))\s(?P<numeral>[IVX]{{2,}}|[VX])\b(?!\.\w)", _roman_name),
    rule(rf"\b(?P<name>{TITLED}\s[A-Z][a-z]+)\s(?P<numeral>I)\b(?!')", _roman_name),
    rule(
        rf"\b(?P<name>{REGNAL})\s(?P<numeral>I)\b(?=\s(?:of|was|is|reigned|ruled|died|became|had|and)\b|'s|[.,;!?]|$)",
        _roman_name,
    ),
    rule(
        rf"\b(?P<name>(?i:{any_of(words('roman_after'))})s?)\s(?P<numeral>[IVXLC]+)\b(?!\.\w|')",
        _roman_number,
    ),
    rule(r"\bWW(?P<numeral>II?)\b", lambda m: "World War " + ("two" if m["numeral"] == "II" else "one")),
    rule(r"\b(?P<name>[A-Z][a-z]+)\s(?P<numeral>[IVX]{2,})\b", _roman_number),
    rule(r"\bM{1,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})\b(?<=\w{3})", _roman_year),
]
STREET = any_of([*(x.capitalize() for x in STREETS), *STREETS.values()])
ADDRESS_RULES = [
    rule(
        rf"\b(\d{{3,4}})(?=\s(?:[NSEW]\.?\s)?[A-Z][a-z]+\s{STREET}\b)",
        lambda m: pairs(m[1]),
    ),
    # American addresses: state and postal code; British postal codes are capitals with digits
    rule(
        rf"(?<=[a-z]),\s(?P<state>{any_of(STATES)})\b(?:\s(?P<zip>\d{{5}})(?:-\d{{4}})?\b)?",
        lambda m: f", {STATES[m['state']]}" + (f", {' '.join(_digit(x) for x in m['zip'])}" if m["zip"] else ""),
    ),
    rule(r"(?<=[a-z]\s)(?P<name>St|Dr)\.?\sLouis\b", lambda _: "Saint Louis"),
]


def _digit(figure: str) -> str:
    return "oh" if figure == "0" else spoken(figure)


def _number_first(match: re.Match[str]) -> str:
    return (
        str(NUMBERED[match["name"].lower()]).capitalize()
        if match["name"][0].isupper()
        else str(NUMBERED[match["name"].lower()])
    )


# Before numbers become words: what only stands before a figure.
NUMBERED_RULES = [
    rule(rf"(?i)(?<![\w.])(?P<name>{any_of(NUMBERED)})\.\s?(?=\d)", lambda m: _number_first(m) + " "),
    rule(r"\b(?P<name>pp?|vol|fig|figs|ch|nos?)\s(?=\d)(?-i:)", lambda m: _number_first(m) + " "),
    rule(r"(?<!\w)~\s?(?=[\d$\u00a3\u20ac])", lambda _: "about "),
    rule(r"(?<=\d)\+(?=\s[a-z])", lambda _: " plus"),
]


def abbreviation_rules(record: Record) -> list[Rule]:
    """Rules for abbreviations, after numbers became words."""
    dotted = any_of(ABBREVIATIONS)
    return [
        rule(r"\b(?P<last>[A-Z][a-z]+)\sv\.\s(?=[A-Z])", lambda m: f"{m['last']} versus "),
        rule(
            r"(?<=[a-z]\s)(?P<name>St|Dr|Ave|Av|Blvd|Rd|Ln|Ct|Pl|Sq|Hwy|Pkwy|Ter|Cres)\b\.?(?=\s*(?:[,;!?)]|$)|\s+(?:[a-z]|in\b|[A-Z][a-z]+\s*,)|\s*\.)",
            lambda m: _street(m).strip() if _is_street(m) else m.group(),
        ),
        rule(rf"(?<![\w.])(?P<name>{_capitalised(list(TITLES))})\.{NAME}", lambda m: str(TITLES[m["name"].lower()])),
        rule(
            rf"(?<![\w.])(?P<name>{any_of(x.capitalize() for x in ALWAYS_TITLES)})\b(?!\.){NAME}",
            lambda m: str(TITLES[m["name"].lower()]),
        ),
        rule(r"(?<![\w.])(?P<name>Mr|Mrs|Ms|Dr|Prof)\b\.?", lambda m: str(TITLES[m["name"].lower()])),
        rule(r"(?i)\bP\.?h\.?\s?D\b\.?(?P<s>'?s\b)?", lambda m: _degree("PHD", m, record)),
        rule(r"\b(?P<letters>[AB]\.?C\.?E?|C\.E|A\.D)\.?(?=[\s,.;)]|$)(?<=[A-Z]\.)", lambda m: _letters(m, record)),
        rule(rf"(?i)(?<![\w.'-])(?P<name>{dotted})\.(?!\w)", lambda m: _abbreviation(m, record)),
        rule(
            r"(?<![\w.'])(?P<letters>(?:[A-Za-z]\.){2,}[A-Za-z]?|[A-Za-z]\.[A-Za-z])(?:(?<=\.)|\.?)(?!\w)",
            lambda m: _letters(m, record),
        ),
        rule(rf"(?<![\w.'-])(?P<letters>(?:[A-Z]\.\s?){{2,}}|[A-HJ-Z]\.\s?)(?!{BEGINNERS})(?=[A-Z][a-z])", _initials),
        rule(
            rf"(?i)(?<![\w./])(?P<name>{any_of(CONTRACTIONS)})(?![\w/]|\.\w)",
            lambda m: str(CONTRACTIONS[m["name"].lower()]),
        ),
    ]


def _is_street(match: re.Match[str]) -> bool:
    """After a capitalised word, or a street's number in words ("Fifth Ave")."""
    before = match.string[: match.start()].rstrip()
    return bool(
        re.search(r"(?:\b[A-Z][\w']*|\d(?:st|nd|rd|th)|th|first|second|third|[nsew]orth|south)$", before)
    ) and not re.search(r"(?:^|[.!?]\s)\w+$", before[:0])


def _initials(match: re.Match[str]) -> str:
    letters = re.findall(r"[A-Z]", match["letters"])
    return ("-".join(letters) if len(letters) > 1 else letters[0]) + " "


def _degree(letters: str, match: re.Match[str], record: Record) -> str:
    plural = "'s" if match["s"] else ""
    final = "." if match.group().endswith(".") and SENTENCE_BEGINS.match(match.string[match.end() :]) else ""
    return spelt(letters, record) + plural + final


SYMBOL_RULES = [
    rule(r"\b([A-Z]{2,3})\s?&\s?([A-Z]{1,3})\b", lambda m: f"{spelt(m[1])} and {m[2]}"),
    rule(r"\bR\s?&\s?B\b", lambda _: "R and B"),
    rule(r"\bC\+\+", lambda _: "C plus plus"),
    rule(r"\b([A-G])#(?!\w)", lambda m: f"{m[1]} sharp"),
    rule(r"\b(and)/(or)\b", lambda _: "and or", re.IGNORECASE),
    rule(r"\b([A-Za-z])/([A-Za-z])\b", lambda m: f"{m[1].upper()}-{m[2].upper()}"),
    rule(r"\b([A-Z]{2,})/([A-Z]{2,})\b", lambda m: f"{m[1]} {m[2]}"),
    rule(r"(?<=[a-z])\s?/\s?(?=[a-z])", lambda _: " or "),
    rule(r"(?<=[\w'])/(?=\w)", lambda _: " slash "),
    rule(r"(?<=\w)[&](?=\w)", lambda _: " and "),
    rule(r"\s[-=]+>\s|[\u2190-\u21ff\u27a1]", lambda _: ", "),
    rule(r"(?<=\w)\+(?=\w)", lambda _: " plus "),
    rule(r"(?<=[A-Za-z])\+(?!\w)", lambda _: " plus"),
    rule(rf"\s?({any_of(SYMBOLS)})\s?", lambda m: f" {SYMBOLS[m[1]]} "),
]
