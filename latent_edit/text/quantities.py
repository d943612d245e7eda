"""Money, units, percentages, fractions, ranges, ordinals and plain numbers in words."""

from __future__ import annotations

import re
from fractions import Fraction

from latent_edit.text.numbers import NUMBER, cardinal, decade, digits, ordinal, pairs, spoken, value
from latent_edit.text.rules import rule
from latent_edit.text.tables import any_of, table, words

CURRENCIES, MAGNITUDES, UNITS, PER = table("currencies"), table("magnitudes"), table("units"), table("per")
SIGNS = any_of(x for x in CURRENCIES if not x.isalpha())
CODES = any_of(x for x in CURRENCIES if x.isalpha())
TIMES = r"(?P<times>\s?(?:hundred|thousand|million|billion|trillion)\b|\s?(?:bn|tn|mn|mm|mil)\b|[kKmMbBtT]\b)?"
TO = r"\s?[-\u2013\u2014]\s?"
MINUS = r"(?P<minus>(?<![\w)\].])-)?"
UNIT = any_of(UNITS)
SPACED_UNIT = any_of(x for x in UNITS if x not in words("attached_units"))
PER_UNIT = rf"(?:/(?P<per>{any_of(PER)})(?!\w))?"
POWER = r"(?:\^?(?P<power>[23])(?![\d/]))?"


def _magnitude(text: str | None) -> str:
    text = (text or "").strip()
    return f" {MAGNITUDES.get(text, text)}" if text else ""


def _amount(number: str, sign: str, times: str | None) -> str:
    """A price: "3.50" of pounds -> "three pounds fifty"; with cents of dollars "three dollars and fifty cents"."""
    if re.fullmatch(r"\d+,\d\d", number) or re.fullmatch(r"\d{1,3}(\.\d{3})+,\d\d", number):  # as on the continent
        number = number.replace(".", "").replace(",", ".")
    one, many, cent, cents = CURRENCIES[sign]
    whole, _, part = number.partition(".")
    if times or len(part) not in (0, 2):
        return f"{spoken(number)}{_magnitude(times)} {many}"
    units = int(value(whole or "0"))
    main = f"{cardinal(units)} {one if units == 1 else many}"
    if not part.strip("0"):
        return main
    small = cardinal(int(part))
    if not units:
        return f"{small} {cent if int(part) == 1 else cents}"
    if sign == "\u00a3":
        return f"{main} {small}"
    return f"{main} and {small} {cent if int(part) == 1 else cents}"


def _money(match: re.Match[str]) -> str:
    sign, minus = match["sign"], "minus " if match["minus"] else ""
    if match["last"]:
        times = match["times"]
        first = match["number"]
        start = f"{spoken(first)}{_magnitude(match['firsttimes'])}"
        return f"{minus}{start} to {_amount(match['last'], sign, times)}"
    return minus + _amount(match["number"], sign, match["times"]) + _per(match["per"])


def _per(unit: str | None) -> str:
    return f" per {PER[unit]}" if unit else ""


def _count(match: re.Match[str]) -> str:
    """The number of a match, negative or up to a last one."""
    first = ("minus " if match["minus"] else "") + spoken(match["number"])
    return f"{first} to {spoken(match['last'])}" if match["last"] else first


def _unit(symbol: str, power: str | None, one: bool) -> str:
    name = UNITS[symbol][0 if one else 1]
    kind = {"2": "square ", "3": "cubic ", None: ""}[power]
    return kind + name


def _quantity(match: re.Match[str]) -> str:
    one = match["number"] in ("1", "1.0") and not match["last"]
    return f"{_count(match)} {_unit(match['unit'], match['power'], one)}{_per(match['per'])}{_stop(match)}"


def _stop(match: re.Match[str]) -> str:
    """The full stop after an abbreviation, where it also ends the sentence."""
    if not match.group().endswith("."):
        return ""
    return "." if re.match(r"[\"')\]]*(?:\s+[\"'(]?[A-Z]|\s*$)", match.string[match.end() :]) else ""


def _degrees(match: re.Match[str]) -> str:
    scale = {
        "C": " Celsius",
        "F": " Fahrenheit",
        "K": " Kelvin",
        "N": " north",
        "S": " south",
        "E": " east",
        "W": " west",
    }
    unit = "degree" if match["number"] == "1" and not match["last"] else "degrees"
    return f"{_count(match)} {unit}{scale.get(match['scale'] or '', '')}"


DENOMINATORS = {2: "half", 4: "quarter"}


def fraction(numerator: int, denominator: int) -> str:
    """3, 4 -> "three quarters"."""
    name = DENOMINATORS.get(denominator) or ordinal(denominator)
    if numerator == 1:
        return f"one {name}"
    return f"{cardinal(numerator)} {'halves' if denominator == 2 else name + 's'}"


def _mixed(match: re.Match[str]) -> str:
    numerator, denominator = int(match["numerator"]), int(match["denominator"])
    whole = match["whole"]
    usual = 0 < numerator < denominator and (denominator <= 20 or denominator in (32, 50, 64, 100, 1000))
    if whole and usual:
        part = "a half" if (numerator, denominator) == (1, 2) else fraction(numerator, denominator)
        if numerator == 1 and denominator == 4:
            part = "a quarter"
        return f"{cardinal(int(whole))} and {part}"
    if whole:
        return match.group()
    if (match.group()) in FIXED:
        return FIXED[match.group()]
    if denominator in (5, 10, 100) and (numerator == denominator or denominator >= 10):
        return f"{cardinal(numerator)} out of {cardinal(denominator)}"
    if numerator == denominator:
        return f"{cardinal(numerator)} {cardinal(denominator)}"
    if usual or (denominator in (2, 3, 4) and numerator):
        return fraction(numerator, denominator)
    return f"{cardinal(numerator)} over {cardinal(denominator)}"


FIXED = {
    "24/7": "twenty four seven",
    "9/11": "nine eleven",
    "7/11": "seven eleven",
    "50/50": "fifty fifty",
    "20/20": "twenty twenty",
    "4/4": "four four",
}


def _vulgar(match: re.Match[str]) -> str:
    import unicodedata

    part = Fraction(unicodedata.numeric(match[2])).limit_denominator(10)
    return f"{match[1] or ''}{part.numerator}/{part.denominator}"


def _height(match: re.Match[str]) -> str:
    feet = f"{cardinal(int(match[1]))} {'foot' if match[1] == '1' or match[2] else 'feet'}"
    return feet + (f" {cardinal(int(match[2]))}" if match[2] else "")


def _range(match: re.Match[str]) -> str:
    return f"{match[1]} to {match[2]}"


def _power(match: re.Match[str]) -> str:
    names = {"2": "squared", "3": "cubed"}
    if match[1] in names:
        return f" {names[match[1]]}"
    exponent = match[1]
    return f" to the power of {'minus ' if exponent.startswith('-') else ''}{spoken(exponent.lstrip('+-'))}"


def _plain(match: re.Match[str]) -> str:
    return ("minus " if match["minus"] else "") + spoken(match["number"])


MONEY_NUMBER = rf"(?:\d{{1,3}}(?:\.\d{{3}})+,\d\d|\d+,\d\d(?!\d)|{NUMBER}|\.\d\d)"
NUM = rf"(?P<number>{NUMBER}|\.\d+)"
LAST = rf"(?:(?:{TO}|\s?to\s)(?P<last>{NUMBER}))?"

MONEY_RULES = [
    rule(
        rf"{MINUS}(?P<sign>{SIGNS})\s?(?P<number>{MONEY_NUMBER})(?:(?P<firsttimes>[kKmMbBtT]|bn)?{TO}(?:{SIGNS})?(?P<last>{MONEY_NUMBER}))?{TIMES}{PER_UNIT}",
        _money,
    ),
    rule(
        rf"{MINUS}\b(?P<number>{MONEY_NUMBER})(?:(?P<firsttimes>[kKmMbBtT]|bn)?{TO}(?P<last>{MONEY_NUMBER}))?{TIMES}\s?(?P<sign>[\u20ac\u00a3$\u20b9\u00a5]|{CODES}\b){PER_UNIT}",
        _money,
    ),
    rule(
        rf"{MINUS}\b(?P<sign>{CODES})\s?(?P<number>{MONEY_NUMBER})(?P<firsttimes>)(?P<last>){TIMES}{PER_UNIT}", _money
    ),
    rule(r"\b(\d+)\s?\u00a2", lambda m: f"{cardinal(int(m[1]))} {'cent' if m[1] == '1' else 'cents'}"),
    rule(r"(?<![\w.])(\d{1,2})p\b(?!\.\w)", lambda m: f"{cardinal(int(m[1]))} {'penny' if m[1] == '1' else 'pence'}"),
]
FRACTION_RULES = [
    rule(r"(\d\s)?([\u00bc-\u00be\u2150-\u215e])", _vulgar),
    rule(
        r"(?<![\w./,-])(?:(?P<whole>\d+)[ -])?(?P<numerator>\d{1,3})/(?P<denominator>\d{1,4})(?![\w/]|[.,]\d)", _mixed
    ),
]
UNIT_RULES = [
    rule(r"(?<=\d)(\s?(?:cm|mm|m|in|ft|km)\b)?\s?x\s?(?=\d)", lambda m: f"{m[1] or ''} by "),
    rule(r"(?<![\w.])(\d)\s?'\s?(?:(\d{1,2})\s?(?:\"|''))", _height),
    rule(r"(?<![\w.])(\d)'(\d{1,2})(?![\d'])", _height),
    rule(
        r"(?<=\d)\s?\"(?=\s(?:x|by|wide|long|tall|deep|thick|screen|pizza|TV|monitor|display)\b)", lambda _: " inches "
    ),
    rule(
        r"(?<![\w.])(\d+)\s?ft\.?\s(\d+)\s?in\b\.?",
        lambda m: f"{cardinal(int(m[1]))} feet {cardinal(int(m[2]))} inches",
    ),
    rule(
        r"(?<![\w.])(\d+)\s?h(?:rs?)?\s?(\d+)\s?(?:m|min|mins)?(?![\w.])",
        lambda m: f"{cardinal(int(m[1]))} hours {cardinal(int(m[2]))} minutes",
    ),
    rule(rf"{MINUS}\b{NUM}{LAST}\s?\u00b0\s?(?P<scale>[CFKNSEW](?!\w))?", _degrees),
    rule(
        rf"{MINUS}(?<![\w.,]){NUM}{LAST}\s?-?\s?sq\.?\s(?P<base>ft|m|km|mi|yd|in|[a-z]{{4,}})\b\.?",
        lambda m: f"{_count(m)} square {UNITS.get(m['base'], ('', m['base']))[1]}{_stop(m)}",
    ),
    rule(rf"{MINUS}(?<![\w.,]){NUM}{LAST}in(?![\w-])", lambda m: f"{_count(m)} inches"),
    rule(
        rf"{MINUS}(?<![\w.,]){NUM}{LAST}\sin\.(?=\s(?:wide|long|tall|deep|high|thick|x|by)\b|\s*$)",
        lambda m: f"{_count(m)} {'inch' if m['number'] == '1' else 'inches'}{_stop(m)}",
    ),
    rule(rf"{MINUS}(?<![\w.,]){NUM}{LAST}(?P<unit>{UNIT}){POWER}{PER_UNIT}(?!\w|'\w|-\d)\.?(?=\W|$)", _quantity),
    rule(
        rf"{MINUS}(?<![\w.,]){NUM}{LAST}[\s-](?P<unit>{SPACED_UNIT}){POWER}{PER_UNIT}(?!\w|'\w|-\w|/\w)\.?(?=\W|$)",
        _quantity,
    ),
    rule(
        rf"(?<=[a-z] )(?P<unit>km|mi|kg|lb|oz|m)/(?P<per>{any_of(PER)})\b",
        lambda m: f"{UNITS[m['unit']][1]}{_per(m['per'])}",
    ),
    rule(
        rf"{MINUS}(?<![\w.,])(?P<number>{NUMBER}|\.\d+)(?:\s?%?{TO}(?P<last>{NUMBER}))?\s?(?:%|percent\b|per cent\b)",
        lambda m: f"{_count(m)} percent",
    ),
    rule(r"(?<![\w.,])(\d+(?:\.\d+)?M|\d+\.\d+B)\b(?!-)", lambda m: f"{spoken(m[1][:-1])} {MAGNITUDES[m[1][-1]]}"),
    rule(r"(?<![\w.,])(\d+(?:\.\d+)?)k\b(?!-)", lambda m: f"{spoken(m[1])} thousand"),
    rule(r"(?<![\w.,])(\d+(?:\.\d+)?)bn\b", lambda m: f"{spoken(m[1])} billion"),
]
COUNT_RULES = [
    rule(
        r"(?<![\w.,])(\d{1,3}(?:,\d{3})*|\d+)(?:st|nd|rd|th)\b(?:\s?[-\u2013\u2014]\s?(\d+)(?:st|nd|rd|th)\b)?",
        lambda m: ordinal(int(m[1].replace(",", ""))) + (f" to {ordinal(int(m[2]))}" if m[2] else ""),
    ),
    rule(r"(?<=\d)\s?[x\u00d7]\s?(?=\d)", lambda m: " by " if "x" in m.group() else " times "),
    rule(r"(?<![\w.])(\d+(?:\.\d+)?)[x\u00d7](?!\w)", lambda m: f"{spoken(m[1])} times"),
]
NUMBER_RULES = [
    rule(r"\^([+-]?\d+)", _power),
    rule(r"(?<=\d)\s-\s(?=\d+(?:\.\d+)?\s?=)", lambda _: " minus "),
    rule(r"(?<=\d)\s?\*\s?(?=\d)", lambda _: " times "),
    rule(r"(?<=\d)\s?/\s(?=\d)", lambda _: " divided by "),
    rule(rf"(?<![\w.,-])({NUMBER}){TO}({NUMBER})(?![\w-]|[.,]\d)", _range),
    rule(rf"(?i)\b({any_of(words('paired_after'))})\s(\d{{3,4}})(?![\w.,]\d|\d)", lambda m: f"{m[1]} {pairs(m[2])}"),
    rule(
        r"(?<![\w.,])(\d{1,2})s\b",
        lambda m: decade(int(m[1])) if m[1].endswith("0") and m[1] != "0" else cardinal(int(m[1])) + "s",
    ),
    rule(rf"(?P<minus>(?<![\w)\].])-)?(?<![\w.])(?P<number>{NUMBER})(?![\w]|\.\d)", _plain),
    rule(
        r"(?P<minus>(?<![\w)\].])-)?(?<![\w.])(?P<number>\.\d+)\b(?!\.)",
        lambda m: (
            ("minus " if m["minus"] else "")
            + "point "
            + " ".join("zero" if x == "0" else digits(x) for x in m["number"][1:])
        ),
    ),
]
