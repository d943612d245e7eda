"""Numbers in words: cardinals, ordinals, decimals, years, digits. num2words does the bulk."""

from __future__ import annotations

import re

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
DIGITS = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LONGEST_CARDINAL = 15  # digits; more are read one by one


def _plain(words: str) -> str:
    return words.replace(",", "").replace("-", " ")


def cardinal(number: int) -> str:
    """21 -> "twenty one"."""
    from num2words import num2words

    return _plain(num2words(number, lang="en"))


def ordinal(number: int) -> str:
    """21 -> "twenty first"."""
    from num2words import num2words

    return _plain(num2words(number, lang="en", to="ordinal"))


def digits(text: str) -> str:
    """The digits of a text one by one, 0 as "oh"."""
    return " ".join(DIGITS[int(x)] for x in text if x.isdigit())


def year(number: int) -> str:
    """1908 -> "nineteen oh eight", 2024 -> "twenty twenty four"."""
    from num2words import num2words

    return _plain(num2words(number, lang="en", to="year"))


def decade(number: int) -> str:
    """1990 -> "nineteen nineties", 90 -> "nineties", 1900 -> "nineteen hundreds"."""
    words = year(number) if number >= 1000 else cardinal(number)
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def pairs(text: str) -> str:
    """Three or four digits as room and flight numbers are read: "117" -> "one seventeen"."""
    if len(text) == 4:
        return year(int(text)) if text[0] != "0" else digits(text)
    if text[1:] == "00":
        return cardinal(int(text))
    return DIGITS[int(text[0])] + " " + (digits(text[1:]) if text[1] == "0" else cardinal(int(text[1:])))


def spoken(number: str) -> str:
    """A number as it is written: "1,234.50" -> "one thousand two hundred and thirty four point five zero".

    A leading zero, or more than 15 digits, makes it a row of digits.
    """
    whole, _, fraction = number.replace(",", "").partition(".")
    if fraction:
        after = " ".join("zero" if x == "0" else DIGITS[int(x)] for x in fraction)
        return f"{cardinal(int(whole or 0))} point {after}"
    if (len(whole) > 1 and whole.startswith("0")) or len(whole) > LONGEST_CARDINAL:
        return digits(whole)
    return cardinal(int(whole))


def value(number: str) -> float:
    """The value of a number as it is written."""
    return float(number.replace(",", ""))


ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
ROMAN_PATTERN = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")


def roman(numeral: str) -> int | None:
    """The value of a roman numeral, None if it is none."""
    if not numeral or not ROMAN_PATTERN.fullmatch(numeral):
        return None
    values = [ROMAN[x] for x in numeral]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
