"""How natural a voice is beside its recordings, by judges that know nothing of this project.

    python -m latent_edit.evaluation.naturalness SPEECH --voice checkpoints/vits-mini --split test --count 120

Held-out recordings are compared with what the voice makes of them (`resynthesis`: posterior encoder, inversion,
decoder) and with the same sentences read by it (`speech`): DistillMOS (Stahl & Gamper 2025, arXiv 2502.05356), PESQ-WB
(ITU-T P.862.2), words that Moonshine hears otherwise, the range of F0 in semitones, and the envelope modulation of
`modulation_db`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit.files import write_text
from latent_edit.judges import naturalness_distillmos, recognise_moonshine, word_errors
from latent_edit.measures import measure
from latent_edit.request import EditRequest

if TYPE_CHECKING:
    from latent_edit.data.corpora import Utterance
    from latent_edit.models.vits import FrozenVits

RATE = 16_000
BANDS_HZ = ((100, 300), (300, 600), (600, 1000), (1000, 2000), (2000, 4000), (4000, 7500))
MODULATIONS_HZ = ((1, 5), (5, 20), (20, 50), (50, 100))
KINDS = ("recording", "resynthesis", "speech")


def quality_against(recording: np.ndarray, copy: np.ndarray) -> float | None:
    """PESQ-WB, 1 to 4.64, of a copy [N] of a recording [N] at 16 kHz; None where it finds no utterance."""
    from pesq import NoUtterancesError, pesq

    size = min(recording.size, copy.size)
    try:
        return float(pesq(RATE, recording[:size], copy[:size], "wb"))
    except NoUtterancesError:
        return None


def modulation_db(samples: np.ndarray) -> np.ndarray:
    """How deep the envelope of each band is modulated, in dB: [bands, modulations] of `BANDS_HZ`, `MODULATIONS_HZ`.

    The power of the envelope (Hilbert) in a range of modulation frequencies over the square of its mean.
    """
    from scipy.fft import next_fast_len
    from scipy.signal import butter, hilbert, sosfiltfilt

    size = next_fast_len(samples.size)  # a prime length would take seconds
    table = np.empty((len(BANDS_HZ), len(MODULATIONS_HZ)))
    for row, band in enumerate(BANDS_HZ):
        envelope = np.abs(hilbert(sosfiltfilt(butter(4, band, "bandpass", fs=RATE, output="sos"), samples), size))
        envelope = envelope[: samples.size] / max(float(envelope.mean()), 1e-9)
        power = np.abs(np.fft.rfft(envelope, size)) ** 2 / samples.size**2
        hertz = np.fft.rfftfreq(size, 1 / RATE)
        for column, (low, high) in enumerate(MODULATIONS_HZ):
            table[row, column] = 10 * np.log10(2 * power[(hertz >= low) & (hertz < high)].sum() + 1e-12)
    return table


def resynthesis(vits: FrozenVits, samples: np.ndarray, speaker: str) -> np.ndarray:
    """A recording [N] resynthesised as by an edit of strength 0."""
    import torch

    from latent_edit.optimize.corrections import invert
    from latent_edit.types import Waveform

    recording = Waveform.of(torch.from_numpy(samples), RATE)
    latent = invert(vits, vits.encode_speech(recording, speaker), recording, speaker)
    return vits.decode(latent, speaker).item(0).numpy()


def spoken(vits: FrozenVits, text: str, speaker: str, prior_noise: float) -> np.ndarray:
    """A text as the voice reads it, [N]."""
    from latent_edit.synthesis import decode, encode_text

    return decode(vits, encode_text(vits, text, speaker, 0, prior_noise), speaker).waveform.item(0).numpy()


def judged(recording: np.ndarray, sound: np.ndarray, kind: str, text: str) -> dict[str, Any]:
    """What the judges say of one sound."""
    errors, words = word_errors(text, recognise_moonshine(sound, RATE))
    return {
        "naturalness": naturalness_distillmos(sound, RATE),
        "pesq": quality_against(recording, sound) if kind == "resynthesis" else None,
        "modulation": np.round(modulation_db(sound), 2).tolist(),
        "f0_range": measure(sound, RATE).pitch_range_semitones,
        "errors": errors,
        "words": words,
    }


def records(
    vits: FrozenVits,
    utterances: Sequence[Utterance],
    cache: Path,
    kinds: Sequence[str] = KINDS,
    prior_noise: float = EditRequest.prior_noise,
) -> Iterator[dict[str, Any]]:
    """One record for each sound; what was judged already is read from `cache` (a folder)."""
    for utterance in utterances:
        recording = utterance.read(RATE)
        make: dict[str, Callable[[], np.ndarray]] = {
            "recording": lambda x=recording: x,  # type: ignore[misc]
            "resynthesis": lambda u=utterance, x=recording: resynthesis(vits, x, u.speaker),  # type: ignore[misc]
            "speech": lambda u=utterance: spoken(vits, u.text, u.speaker, prior_noise),  # type: ignore[misc]
        }
        for kind in kinds:
            made_by = {"recording": kind, "resynthesis": vits.hash[:16]}.get(kind, f"{vits.hash[:16]}-{prior_noise:g}")
            path = cache / made_by / kind / f"{utterance.speaker}-{utterance.path.stem}.json"
            if not path.is_file():
                record = judged(recording, make[kind](), kind, utterance.text)
                write_text(path, json.dumps({"speaker": utterance.speaker, "kind": kind, **record}))
            yield json.loads(path.read_text(encoding="utf-8"))


def table(found: Sequence[dict[str, Any]]) -> str:
    """Means by kind and voice, and modulation less that of the recordings."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in found:
        groups[record["kind"], "all"].append(record)
        groups[record["kind"], record["speaker"]].append(record)
    lines = [f"{'':<12}{'':<11}{'n':>5}{'DistillMOS':>12}{'PESQ-WB':>9}{'wrong %':>9}{'F0 range':>10}"]
    for (kind, speaker), group in sorted(groups.items()):
        pesq = [r["pesq"] for r in group if r["pesq"] is not None]
        wrong = 100 * sum(r["errors"] for r in group) / max(1, sum(r["words"] for r in group))
        naturalness = np.mean([r["naturalness"] for r in group])
        f0_range = np.mean([r["f0_range"] for r in group if r["f0_range"] is not None])
        quality = f"{np.mean(pesq):.2f}" if pesq else "-"
        lines.append(
            f"{kind:<12}{speaker:<11}{len(group):>5}{naturalness:>12.3f}{quality:>9}{wrong:>9.1f}{f0_range:>10.2f}"
        )
    modulation = {k: np.mean([r["modulation"] for r in g], 0) for (k, s), g in groups.items() if s == "all"}
    for kind in [k for k in modulation if k != "recording" and "recording" in modulation]:
        lines.append(f"\n{kind}, modulation less the recordings' (dB): {MODULATIONS_HZ}")
        for band, row in zip(BANDS_HZ, modulation[kind] - modulation["recording"], strict=True):
            lines.append(f"{band[0]:>6} - {band[1]:<6}" + "".join(f"{value:>8.1f}" for value in row))
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    from latent_edit.data.corpora import read_corpus
    from latent_edit.data.splits import sample, select
    from latent_edit.models.vits import FrozenVits

    parser = argparse.ArgumentParser(description="Judge how natural a voice is beside its recordings.")
    parser.add_argument("speech", type=Path, help="the corpus of `prepare recordings`")
    parser.add_argument("--voice", type=Path, default=Path("checkpoints/vits-mini"))
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--count", type=int, default=120, help="recordings, spread evenly over the voices")
    parser.add_argument("--prior-noise", type=float, default=EditRequest.prior_noise, help="of what is read")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--cache", type=Path, default=Path("runs/naturalness"))
    given = parser.parse_args()
    utterances = select(read_corpus(given.speech), given.split)
    voices = sorted({u.speaker for u in utterances})
    each = max(1, given.count // len(voices))
    chosen = [u for voice in voices for u in sample([u for u in utterances if u.speaker == voice], each)]
    vits = FrozenVits.load(given.voice)
    print(table(list(records(vits, chosen, given.cache, given.kinds.split(","), given.prior_noise))))


if __name__ == "__main__":
    main()
