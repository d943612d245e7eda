"""Dates, times and years in words."""

from __future__ import annotations

import re

from latent_edit.text.numbers import cardinal, decade, digits, ordinal, year
from latent_edit.text.rules import Rule, rule
from latent_edit.text.tables import any_of, table

MONTHS = list(dict.fromkeys(table("months").values()))
NAMES = {**{x.lower(): x for x in MONTHS}, **table("months")}
MONTH = rf"(?P<month>{any_of(x.capitalize() for x in NAMES)})\b\.?"
DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
YEAR = r"(?P<year>1[0-9]\d\d|20\d\d)"
HOUR, MINUTE = r"(?P<hour>[01]?\d|2[0-4])", r"(?P<minute>[0-5]\d)"
NOON = r"(?P<half>[ap]\.?\s?m\b\.?|[AP]\.?\s?M\b\.?)"
# Words before which a number of four digits is a year even where a plural follows.
BEFORE_YEARS = (
    r"(?:in|since|until|till|by|from|before|after|during|around|circa|of|early|mid|late|year|spring|summer|autumn|fall"
    r"|winter|to|and|between|through)"
)


def _month(name: str) -> str:
    return str(NAMES[name.lower().rstrip(".")])


def _numeric(match: re.Match[str], day_first: bool) -> str:
    first, second, number = int(match["first"]), int(match["second"]), match["year"]
    if len(number) == 2:
        number = ("19" if int(number) > 50 else "20") + number
    day, month = (first, second) if first > 12 or (day_first and second <= 12) else (second, first)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    words = year(int(number))
    if first == day:
        return f"the {ordinal(day)} of {MONTHS[month - 1]}, {words}"
    return f"{MONTHS[month - 1]} {ordinal(day)}, {words}"


def _iso(match: re.Match[str]) -> str:
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    return f"{MONTHS[month - 1]} {ordinal(day)}, {year(int(match['year']))}"


def _month_day(match: re.Match[str]) -> str:
    words = f"{_month(match['month'])} {ordinal(int(match['day']))}"
    if match["last"]:
        words += f" to {ordinal(int(match['last']))}"
    return words + (f", {year(int(match['year']))}" if match["year"] else "")


def _day_and_month(match: re.Match[str]) -> str:
    days = ordinal(int(match["day"])) + (f" to {ordinal(int(match['last']))}" if match["last"] else "")
    the = "" if match["the"] else "the "
    words = f"{match['the'] or ''}{the}{days} of {_month(match['month'])}"
    return words + (f" {year(int(match['year']))}" if match["year"] else "")


def _clock(hour: int, minute: str | None, half: str | None) -> str:
    ending = " " + half.upper().replace(".", "").replace(" ", "")[0] + "-M" if half else ""
    if minute is None or (minute == "00" and half):
        return cardinal(hour) + ending
    if minute == "00":
        return f"{cardinal(hour)} hundred" if hour > 12 or hour == 0 else f"{cardinal(hour)} o'clock"
    return f"{cardinal(hour)} {digits(minute) if minute[0] == '0' else cardinal(int(minute))}{ending}"


def _time(match: re.Match[str]) -> str:
    words = _clock(int(match["hour"]), match["minute"], match["half"])
    # The full stop of "a.m." may be that of the sentence.
    ends = (
        bool(match["half"]) and match["half"].endswith(".") and re.match(r"\s+[A-Z]|\s*$", match.string[match.end() :])
    )
    return words + ("." if ends else "")


def _duration(match: re.Match[str]) -> str:
    parts = [cardinal(int(x)) if x.strip("0") or len(x) == 1 else "zero" for x in match.group().split(":")]
    return " ".join(parts)


def _years(match: re.Match[str]) -> str:
    first, last = match["first"], match["last"]
    return f"{year(int(first))} to {year(int(last)) if len(last) == 4 else cardinal(int(last))}"


def _decade(match: re.Match[str]) -> str:
    return decade(int(match["decade"])) + ("'" if match["possessive"] else "")


def _year(match: re.Match[str]) -> str:
    """Not a year: what counts plural things, unless the word before says so."""
    after = match.string[match.end() :]
    counted = re.match(r"\s(?:[a-z]+ )?(?:[a-z]{2,}s|people|men|women|children|feet)\b", after)
    if counted and not re.search(rf"\b{BEFORE_YEARS}\s(?:the\s)?$", match.string[: match.start()], re.IGNORECASE):
        return match.group()
    return year(int(match.group()))


def date_rules(day_first: bool) -> list[Rule]:
    """Rules for dates. day_first: 3/4/2024 is the third of April, as in Britain; otherwise the fourth of March."""
    last = r"(?:\s?[-\u2013\u2014]\s?(?P<last>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?)?"
    return [
        rule(rf"\b{YEAR}[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)(?=\b|T\d)(?!%)", _iso),
        rule(
            r"(?<![\d/.-])(?P<first>\d\d?)(?P<mark>[/.-])(?P<second>\d\d?)(?P=mark)(?P<year>(?:1[0-9]|20)\d\d|\d\d)(?![\d/-]|\.\d)",
            lambda match: _numeric(match, day_first),
        ),
        rule(
            r"(?<=\bon )(?P<first>\d\d?)/(?P<second>\d\d?)(?![/\d%])",
            lambda match: re.sub(r", [^,]*$", "", _numeric_without_year(match, day_first)),
        ),
        rule(
            rf"(?P<the>\b[Tt]he\s)?\b{DAY}{last}\s(?:of\s)?{MONTH}(?:,?\s{YEAR}(?!\s?(?:[a-z]+s\b|[%$])))?",
            _day_and_month,
        ),
        rule(rf"\b{MONTH}\s(?:the\s)?{DAY}{last}(?![\d:%]|[.,]\d|\s?[ap]\.?m)(?:,?\s{YEAR}\b)?", _month_day),
        rule(rf"\b{MONTH}(?:,)?\s{YEAR}\b(?!-)", lambda m: f"{_month(m['month'])} {year(int(m['year']))}"),
        *_named_rules(),
    ]


def _numeric_without_year(match: re.Match[str], day_first: bool) -> str:
    whole = re.match(r"(?P<first>\d\d?)/(?P<second>\d\d?)/(?P<year>\d\d)", match.group() + "/00")
    return _numeric(whole, day_first) if whole else match.group()


def _named_rules() -> list[Rule]:
    """Abbreviated names of months and weekdays; "Sat" and "Sun" are also words."""
    weekdays = table("weekdays")
    sure = any_of(x.capitalize() for x in weekdays if x not in ("sat", "sun", "mon", "wed", "fri"))
    full = r"(?:\.(?=\s*[a-z\d,;:)\u2013\u2014-])|\.(?=\s*$)|\b(?!\.)|(?=\.))"
    either = any_of(x.capitalize() for x in weekdays)

    def name(match: re.Match[str]) -> str:
        return str(weekdays[match["name"].lower()])

    def span(match: re.Match[str]) -> str:
        return f"{weekdays[match['name'].lower()]} to {weekdays[match['last'].lower()]}"

    return [
        rule(rf"\b(?P<name>{either})\b\.?\s?[-\u2013\u2014]\s?(?P<last>{either})\b\.?(?!\w)", span),
        rule(rf"\b(?P<name>{either})\.?(?=,?\s(?:the\s)?(?:\d|{any_of(MONTHS)}|at\b))", name),
        rule(rf"\b(?P<name>{either})\.(?=\s*[a-z\d,;:)\u2014])", name),
        rule(rf"(?<=\b[Oo]n )(?P<name>{either})\b(?!-)", name),
        rule(rf"\b(?P<name>{sure}|Mon|Wed|Fri)\b(?=[.,;!?\s]|$){full}", name),
        rule(
            r"\b(?P<month>Feb|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?=\s[a-z\d]|,)",
            lambda m: _month(m["month"]),
        ),
        rule(r"\b(?P<month>Jan|Feb|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b(?!\.\w|')", lambda m: _month(m["month"])),
    ]


TIME_RULES = [
    rule(r"(?<=\d:[0-5]\d)\s?[-\u2013\u2014]\s?(?=\d{1,2}:[0-5]\d)", lambda _: " to "),
    rule(
        rf"\b{HOUR}(?::{MINUTE})?\s?(?P<first>[ap]m)?\s?[-\u2013\u2014]\s?(?P<to>[01]?\d|2[0-4])(?::(?P<tominute>[0-5]\d))?\s?{NOON}",
        lambda m: (
            f"{_clock(int(m['hour']), m['minute'], m['first'])} to {_clock(int(m['to']), m['tominute'], m['half'])}"
        ),
    ),
    rule(rf"(?<![\d:.,$\u00a3\u20ac]){HOUR}(?:[:.]{MINUTE})?\s?{NOON}(?!\w)", _time),
    rule(r"(?<![\d:])\d{1,2}:[0-5]\d:[0-5]\d(?!\d)", _duration),
    rule(
        rf"(?<![\d:.,]){HOUR}:{MINUTE}(?:\s?[hH]\b)?(?![\d:])(?P<half>)",
        lambda m: _clock(int(m["hour"]), m["minute"], None),
    ),
    rule(r"(?<![\d:])(\d+):(\d+)(?![\d:])", lambda m: f"{cardinal(int(m[1]))} to {cardinal(int(m[2]))}"),
]

DECADE_RULES = [
    rule(r"(?<![\w$])'?(?P<decade>(?:1[0-9]|20)\d0)'?s(?P<possessive>')?(?!\w)", _decade),
    rule(r"(?<!\w)'(?P<decade>\d0)'?s(?P<possessive>')?(?!\w)", _decade),
    rule(
        r"(?i)\b(?P<before>(?:the|a|early|late|mid|his|her|their|my|our|your)[\s-])(?P<decade>[2-9]0)'?s(?P<possessive>')?(?!\w)",
        lambda m: m["before"] + _decade(m),
    ),
]

YEAR_RULES = [
    rule(
        r"\b(?P<first>1[0-9]\d\d|20\d\d)\s?[-\u2013\u2014/]\s?(?P<last>1[0-9]\d\d|20\d\d|\d\d)(?![\d-]|[.,]\d)", _years
    ),
    rule(r"(?<!\w)'(\d\d)\b(?!')", lambda m: digits(m[1]) if m[1][0] == "0" else cardinal(int(m[1]))),
    rule(
        r"\b(\d{1,4})\s?(?=(?:B\.?C\.?E?\.?|A\.?D\.?|C\.?E\.?)(?!\w))",
        lambda m: (year(int(m[1])) if len(m[1]) == 4 else cardinal(int(m[1]))) + " ",
    ),
    rule(r"\bAD (\d{1,4})\b", lambda m: f"A-D {year(int(m[1])) if len(m[1]) == 4 else cardinal(int(m[1]))}"),
    rule(r"(?i)(?<=\bin )10\d\d(?![\w%]|[.,]\d|-\d)", _year),
    rule(r"(?<![\w.,$\u00a3\u20ac#-])(?:1[1-9]\d\d|20\d\d)(?![\w%\u00b0]|[.,]\d|-\d)", _year),
]
