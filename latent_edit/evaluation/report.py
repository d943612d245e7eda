"""Tables of what was judged, good or bad, for checkpoints/README.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from latent_edit.evaluation.suites import Judged
from latent_edit.measures import Measurements

BEGIN, END = "<!-- evaluate: begin -->", "<!-- evaluate: end -->"

# How each attribute is headed and written; the keys are all fields of `Measurements`.
COLUMNS = {
    "pitch_hz": ("pitch Hz", "{:.0f}"),
    "pitch_range_semitones": ("range st", "{:.1f}"),
    "duration_seconds": ("length s", "{:.2f}"),
    "pace_phonemes_per_second": ("pace /s", "{:.1f}"),
    "level_db": ("level dB", "{:.1f}"),
    "tilt_db": ("tilt dB", "{:.1f}"),
    "voiced_share": ("voiced", "{:.2f}"),
    "harmonicity_db": ("HNR dB", "{:.1f}"),
    "tremor_semitones": ("tremor st", "{:.2f}"),
}


def word_error_rates(judged: Sequence[Judged]) -> tuple[float, float]:
    """Word error rate before and after, over all words."""
    words = sum(item.words for item in judged)
    return sum(item.errors_before for item in judged) / words, sum(item.errors_after for item in judged) / words


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of what was measured; None where nothing was."""
    measured = [value for value in values if value is not None]
    return float(np.mean(measured)) if measured else None


def preset_table(judged: Sequence[Judged]) -> str:
    """A row for each preset and voice: word error rate and every attribute, before -> after."""
    names = [field.name for field in fields(Measurements)]
    header = ["prompt", "voice", "WER %", *(COLUMNS[name][0] for name in names)]
    rows = []
    for prompt in dict.fromkeys(item.prompt for item in judged):
        for voice in dict.fromkeys(item.voice for item in judged):
            own = [item for item in judged if (item.prompt, item.voice) == (prompt, voice)]
            rates = " → ".join(f"{100 * rate:.0f}" for rate in word_error_rates(own))
            rows.append([prompt, voice, rates, *(_change(own, name) for name in names)])
    return _markdown(header, rows)


def words_table(judged: Sequence[Judged]) -> str:
    """Word error rate, pitch and effort over the sentences of each voice."""
    rows = []
    for voice in [*dict.fromkeys(item.voice for item in judged), "all"]:
        own = [item for item in judged if voice in (item.voice, "all")]
        before, after = word_error_rates(own)
        rates = [f"{100 * before:.1f}", f"{100 * after:.1f}"]
        rows.append([voice, str(len(own)), *rates, *(_change(own, name) for name in ("pitch_hz", "tilt_db"))])
    return _markdown(["voice", "sentences", "WER % before", "WER % after", "pitch Hz", "effort (tilt) dB"], rows)


def write_section(path: Path, text: str) -> None:
    """Put `text` between the markers of a Markdown file; the rest of it stays as it is."""
    content = path.read_text(encoding="utf-8") if path.is_file() else f"# Shipped weights\n\n{BEGIN}\n{END}\n"
    head, _, rest = content.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{text.strip()}\n{END}{tail}", encoding="utf-8")


def embedded_report(table: Sequence[Judged], words: Sequence[Judged], hashes: dict[str, str], versions: str) -> str:
    """The whole section for one set of checkpoints."""
    lines = [f"- {name}: `{value}`" for name, value in sorted(hashes.items())]
    return "\n\n".join(
        [
            "Judged were these weights (hashes of their content), with " + versions + ":",
            "\n".join(lines),
            f"### Words: {len({item.text for item in words})} held-out sentences, prompt “{words[0].prompt}”",
            words_table(words),
            f"### Presets: {len({item.text for item in table})} held-out sentences, before → after",
            "Means over the sentences; “–” was not measured (no voiced frames).",
            preset_table(table),
        ]
    )


def _change(judged: Sequence[Judged], name: str) -> str:
    write: Callable[[float], str] = COLUMNS[name][1].format
    values = (mean([getattr(side, name) for side in sides]) for sides in _sides(judged))
    return " → ".join("–" if value is None else write(value) for value in values)


def _sides(judged: Sequence[Judged]) -> tuple[list[Measurements], list[Measurements]]:
    return [item.before for item in judged], [item.after for item in judged]


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
