"""Whether a recogniser hears the words of texts as people type them: python -m latent_edit.evaluation.spoken_text CSV.

The table has the columns text (as typed) and words (as a person would say it; "(nothing)" where there is nothing to
say). What the recogniser writes is normalised as texts are, so that figures and words count the same. No recogniser
hears every word of real speech either: `--recordings` says how it does on held-out recordings of such length.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Annotated

import typer

from latent_edit.data.corpora import Utterance, read_corpus
from latent_edit.data.splits import select
from latent_edit.errors import InputError
from latent_edit.judges import RATE, recognise_moonshine
from latent_edit.text import normalise

NOTHING = "(nothing)"
OF_EACH = 30  # recordings of each voice
FUNCTION_WORDS = frozenset(
    [
        "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "for", "from", "had", "has", "have", "he",
        "her", "him", "his", "i", "if", "in", "is", "it", "its", "me", "my", "not", "of", "on", "or", "our", "she",
        "so", "that", "the", "their", "them", "they", "this", "to", "us", "was", "we", "were", "will", "with", "you",
        "your", "am", "do", "did",
    ]
)  # fmt: skip
SAME_WORDS = (
    (r"metre", "meter"),
    (r"litre", "liter"),
    (r"\bokay\b", "ok"),
    (r"our\b", "or"),
    (r"\b(?:oh|o)\b", "zero"),
    (r"ty s\b", "ties"),
)


def spoken_words(text: str) -> list[str]:
    """Words of a text as they sound: letters that are spelt together are one word, spelling is American."""
    plain = normalise(text).words.lower().replace("'", "").replace("-", " ")
    joined = re.sub(r"\b(\w) (?=\w\b|\ws\b)", r"\1", " ".join(re.findall(r"[^\W\d_]+", plain)))
    for ours, theirs in SAME_WORDS:
        joined = re.sub(ours, theirs, joined)
    return joined.split()


def missing_words(expected: str, heard: str) -> list[str]:
    """Content words of what should be said that were not heard, alone or inside a compound."""
    known, together = spoken_words(heard), "".join(spoken_words(heard))
    content = [word for word in spoken_words(expected) if word not in FUNCTION_WORDS]
    return [word for word in content if word not in known and not (len(word) > 3 and word in together)]


def heard_whole(corpus: Path, longest: int) -> tuple[int, int]:
    """Of the held-out recordings of at most `longest` words, `OF_EACH` a voice: in how many each is heard, and all."""
    utterances = [u for u in select(read_corpus(corpus), "test") if len(spoken_words(u.text)) <= longest]
    chosen: list[Utterance] = []
    for voice in dict.fromkeys(u.speaker for u in utterances):
        chosen += [u for u in utterances if u.speaker == voice][:OF_EACH]
    heard = [recognise_moonshine(u.read(RATE), RATE) for u in chosen]
    return sum(not missing_words(u.text, words) for u, words in zip(chosen, heard, strict=True)), len(chosen)


def main(
    table: Annotated[Path, typer.Argument(help="CSV with the columns text and words.")],
    voice: Annotated[str, typer.Option(help="Whose voice.")] = "sam_a",
    seed: Annotated[int, typer.Option(help="Of the readings.")] = 0,
    recordings: Annotated[
        Path | None, typer.Option(help="A corpus: on held-out recordings of such length, what is heard?")
    ] = None,
) -> None:
    """Print the texts of which content words were not heard, and the share of the others."""
    from latent_edit.editor import LatentEditor

    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["words"].strip() not in ("", NOTHING)]
    if not rows:
        raise InputError(f"{table} has no row with words")
    editor, whole = LatentEditor.load(), 0
    for row in rows:
        waveform = editor.say(row["text"], voice, seed).waveform
        heard = recognise_moonshine(waveform.item(0).numpy(), waveform.sampling_rate)
        missing = missing_words(row["words"], heard)
        whole += not missing
        if missing:
            typer.echo(f"{' '.join(row['text'].split())!r}: not heard {', '.join(missing)}; heard {heard!r}")
    typer.echo(f"every content word heard in {_share(whole, len(rows))} texts")
    if recordings:
        longest = max(len(spoken_words(row["words"])) for row in rows)
        typer.echo(f"every content word heard in {_share(*heard_whole(recordings, longest))} recordings")


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / max(whole, 1):.0%})"


if __name__ == "__main__":
    typer.run(main)
