"""Markup is not read: Markdown, HTML and SSML tags, stage directions, list marks, smileys."""

from __future__ import annotations

import html
import re

from latent_edit.text.record import Record

# What people put into brackets or between asterisks to say how, not what: (laughs), *sighs*, [whisper].
STAGE = (
    r"(?:laugh|giggl|chuckl|sigh|whisper|cough|sob|cries|crying|gasp|groan|moan|yawn|sniff|snort|scream|shout|yell|"
    r"murmur|mutter|paus|silence|applau|clap|cheer|inaudible|unintelligible|crosstalk|clear(?:s|ing) (?:\w+ )?throat|"
    r"breath|exhal|inhal|hum(?:s|ming)|sing(?:s|ing)|smil|grin|frown|nod|shrug|wink|gulp|hiccup|sneez|growl|grunt|"
    r"weep|wail|snor|swallow|stutter|stammer|hesitat|tearful|sarcas|excited|angr|softly|quietly|loudly|nervous|"
    r"gently|off-?screen|voice ?over|sfx|sound effect|music|blush|facepalm|(?:roll|wav|bow|hugg?|kiss)(?:s|es|ing)\b|"
    r"rolls? (?:\w+ )?eyes|deep breath|long pause|short pause|beat$|sic$|citation needed|edit$)\w*"
)
AFTER_STAGE = (
    r"(?:\s(?:\w+ly|\w+ing|out loud|again|hard|at \w+|to \w+self|(?:his|her|their) \w+|in (?:the )?\w+|stops|starts))*"
)
INSIDE = rf"(?:\w+ly\s)?{STAGE}{AFTER_STAGE}"
DIRECTION = re.compile(
    rf"\(\s*{INSIDE}\s*[.!]?\)|(?<![*\w])\*{{1,2}}\s?{INSIDE}\s?\*{{1,2}}(?![*\w])"
    rf"|\[[^\]\n]{{0,30}}\b{STAGE}[^\]\n]{{0,30}}\](?!\()|(?<![\w_])_{STAGE}{AFTER_STAGE}_(?![\w_])",
    re.IGNORECASE,
)
CITATION = re.compile(r"\[\^?\d+(?:[,\u2013-]\s?\d+)*\](?![(\[])")
LONE_TAG = re.compile(r"(?:(?<=^)|(?<=[\n.!?]))\s*\[[a-z_ -]{1,24}\](?!\()", re.IGNORECASE)
SILENT_ELEMENT = re.compile(r"<!--.*?-->|<(script|style|head)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
ALIAS = re.compile(r"<sub\b[^>]*\balias=\"([^\"]*)\"[^>]*>.*?</sub>", re.DOTALL | re.IGNORECASE)
BLOCK_TAG = re.compile(
    r"</?(?:p|br|div|h[1-6]|li|ul|ol|tr|table|title|s|speak|par|seq|section)\b[^<>]*>", re.IGNORECASE
)
TAG = re.compile(r"</?[a-zA-Z][\w:.-]*(?:\s[^<>]*)?/?>|<\?[^>]*\?>|<![a-zA-Z][^>]*>")
SMILEY = re.compile(
    r"(?<![\w:;=/])(?:[:;=8xX]['\u2019]?[-o^]?[)(\]\[DPpOo3|/\\*]|<3+|</3|\^[_.]?\^|[xX]D|[oO]_[oO]|T_T|-_-|"
    r"\u00af\\_\(\u30c4\)_/\u00af|>[:;]\(|\(:|:'-?\()(?![\w(/\\])"
)
FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.MULTILINE)
RULE = re.compile(r"^[ \t]*(?:(?:[*_#~\u2022\u2042+-][ \t]*){3,}|=+|-{2,})[ \t]*$", re.MULTILINE)
HEADING = re.compile(r"^[ \t]*(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
BULLET = re.compile(
    r"^[ \t]*((?:[*+\u2022\u2023\u25e6\u25aa\u00b7\u2219-]|\u2014|\u2013)[ \t]+(?:\[[ xX]\][ \t]+)?)(?=\S)",
    re.MULTILINE,
)
NUMBERED = re.compile(r"^[ \t]*(\(?(?:\d{1,2}|[a-z])[.)][ \t]+)(?=\S)", re.MULTILINE)
QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
TABLE_RULE = re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?)?[ \t]*$", re.MULTILINE)
REFERENCE = re.compile(r"^[ \t]*\[[^\]]+\]:[ \t]*\S+.*$", re.MULTILINE)
LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?([^)\s]*)>?(?:\s+\"[^\"]*\")?\s*\)|!?\[([^\]\n]+)\]\[[^\]\n]*\]")
CODE = re.compile(r"(?<![\w`])(`{1,2})([^`\n]+)\1(?![\w`])")
STRIKE = re.compile(r"(~~)(?=\S)(.+?)(?<=\S)~~")
STRONG = re.compile(
    r"(?<![*\w])(\*{1,3})(?=[^\s*])([^*\n]+?)(?<=\S)\1(?![*\w])|(?<![_\w])(_{1,3})(?=[^\s_])([^\n]+?)(?<=\S)\3(?![_\w])"
)


def without_markup(text: str, record: Record) -> str:
    """The words of a marked-up text. Headings, list items and lines of tables become paragraphs of their own."""

    def leave_out(match: re.Match[str]) -> str:
        return record.leave_out(match.group()) + " "

    def block(match: re.Match[str]) -> str:
        return record.leave_out(match.group()) + "\n\n"

    text = ALIAS.sub(r"\1", SILENT_ELEMENT.sub(leave_out, text))
    text = TAG.sub(leave_out, BLOCK_TAG.sub(block, text))
    text = html.unescape(text).replace("\u00a0", " ")
    text = SMILEY.sub(leave_out, text)
    text = _without_markdown(text, record)
    text = CITATION.sub(leave_out, DIRECTION.sub(leave_out, text))
    return LONE_TAG.sub(leave_out, text)


def _without_markdown(text: str, record: Record) -> str:
    def rule(match: re.Match[str]) -> str:
        return record.leave_out(match.group()) + "\n\n"

    def mark(match: re.Match[str]) -> str:
        return "\n\n" + record.leave_out(match.group(1))

    def link(match: re.Match[str]) -> str:
        record.leave_out(match.group(2) or "")
        return match.group(1) or match.group(3) or ""

    for pattern in (FENCE, TABLE_RULE, RULE, REFERENCE):
        text = pattern.sub(rule, text)
    text = HEADING.sub(lambda m: f"\n\n{record.leave_out(m.group(1))}{m.group(2)}\n\n", QUOTED.sub("", text))
    text = BULLET.sub(mark, text)
    if len(NUMBERED.findall(text)) > 1:  # a single one may be the end of a sentence
        text = NUMBERED.sub(mark, text)
    text = re.sub(r"^[ \t]*\|(.*)\|[ \t]*$", lambda m: "\n\n" + m.group(1).replace("|", ", "), text, flags=re.MULTILINE)
    return _without_emphasis(LINK.sub(link, text), record)


def _without_emphasis(text: str, record: Record) -> str:
    """Content of code, strong and struck text without its marks, except where it is a stage direction."""

    def inside(match: re.Match[str]) -> str:
        if DIRECTION.fullmatch(match.group()):
            return match.group()
        mark, content = [group for group in match.groups() if group is not None][:2]
        record.leave_out(mark)
        return content

    for pattern in (CODE, STRIKE, STRONG, STRONG):  # strong inside strong
        text = pattern.sub(inside, text)
    return text
