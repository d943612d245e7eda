"""What comes back from an edit, and how it is kept: WAVs, pictures of the latents, and a record that repeats it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from latent_edit import audio, pictures
from latent_edit.errors import InputError
from latent_edit.measures import Measurements
from latent_edit.prompts.reading import PromptReading
from latent_edit.request import EditRequest
from latent_edit.types import Latent, Waveform

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEPT_CLIPS = "{}.wav"  # the clips that a request named, beside its record


class TimedPhoneme(NamedTuple):
    """A symbol and when it is heard, in seconds."""

    symbol: str
    start_second: float
    end_second: float


@dataclass(frozen=True)
class EditResult:
    """Everything about one edit. Latents are [1, C, T], sentences joined; in the pauses between them the mask is 0.

    z_text: the plain synthesis. z_source: the same time-scaled, where the bridge starts. z_edit: Z' as decoded; same T
    as z_source. before, after: what was decoded from z_text and z_edit, one after the other in samples of T * hop.
    phonemes_*: symbols in seconds. gain: the one factor, at most 1, used when writing both as 16 bit. measurements and
    style_similarity (cosine of the CLAP embeddings of audio and style, -1 to 1) are taken without that gain.
    unknown_words: of the prompt, unknown to the CLAP. dropped_symbols: of the text, unknown to the voice. notes: what a
    person should know, one line each. log_duration_ratio: what the durations of z_source were multiplied by, as a
    logarithm. seconds: time spent in each stage. provenance: hashes of the checkpoints, versions, machine. reference,
    recording: the clips that the request named, at the rate at which they were heard. asked: what its prompt, or the
    clip in that style, asks for on each axis.
    """

    request: EditRequest
    z_text: Latent
    z_source: Latent
    z_edit: Latent
    phonemes_before: tuple[TimedPhoneme, ...]
    phonemes_after: tuple[TimedPhoneme, ...]
    before: Waveform
    after: Waveform
    gain: float
    measurements_before: Measurements
    measurements_after: Measurements
    style_similarity_before: float | None
    style_similarity_after: float | None
    unknown_words: tuple[str, ...]
    dropped_symbols: tuple[str, ...]
    notes: tuple[str, ...]
    log_duration_ratio: float
    seconds: dict[str, float]
    provenance: dict[str, Any]
    reference: Waveform | None = None
    recording: Waveform | None = None
    asked: PromptReading | None = None

    @property
    def clips(self) -> dict[str, Waveform]:
        """What was decoded: before and after, by these names."""
        return {"before": self.before, "after": self.after}

    @property
    def seconds_per_frame(self) -> float:
        """Time from one frame of the latents to the next."""
        return self.before.samples.shape[1] / self.before.sampling_rate / self.z_text.z.shape[2]

    @property
    def difference(self) -> Latent:
        """What the edit changed, pace apart: Z' less what the bridge started from."""
        return Latent(self.z_edit.z - self.z_source.z, self.z_edit.mask)

    @property
    def colour_limit(self) -> float:
        """Half range of the one scale on which Z_text, Z' and their difference are drawn: so sizes can be compared."""
        return pictures.shared_limit(self.z_text, self.z_edit, self.difference)

    def figures(self) -> dict[str, Figure]:
        """The three pictures by file name, on one colour scale and one time axis."""
        limit, after = self.colour_limit, self.phonemes_after
        shown = max(self.z_text.z.shape[2], self.z_edit.z.shape[2]) * self.seconds_per_frame
        view = pictures.View(self.seconds_per_frame, shown)
        start = "Z_text" if self.phonemes_before else "Z_audio"
        return {
            "z_text.png": pictures.latent_figure(self.z_text, view, f"Before: {start}", limit, self.phonemes_before),
            "z_edit.png": pictures.latent_figure(self.z_edit, view, "After: Z\u2032", limit, after),
            "difference.png": pictures.difference_figure(self.difference, view, limit, after, start),
        }

    def record(self) -> dict[str, Any]:
        """The content of edit.json: with the same checkpoints, enough to make the same edit again."""
        return {
            "request": {**self.request.to_dict(), **{name: KEPT_CLIPS.format(name) for name in self._given_clips}},
            "gain": self.gain,
            "log_duration_ratio": self.log_duration_ratio,
            "measurements": {"before": asdict(self.measurements_before), "after": asdict(self.measurements_after)},
            "style_similarity": {"before": self.style_similarity_before, "after": self.style_similarity_after},
            "unknown_words": list(self.unknown_words),
            "asked": None if self.asked is None else self.asked.to_dict(),
            "dropped_symbols": list(self.dropped_symbols),
            "notes": list(self.notes),
            "seconds": self.seconds,
            "provenance": self.provenance,
        }

    def save(self, folder: str | Path, with_figures: bool = True) -> dict[str, Path]:
        """Write before.wav, after.wav, z_text.png, z_edit.png, difference.png, edit.json, and the request's own clips.

        The three pictures can be left out: drawing them takes longer than the edit itself.

        All are written aside first and then moved, so that a failure leaves what was there. Returns name -> path.
        Raises InputError when the folder cannot be written.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as aside:
                names = self._write(Path(aside), with_figures)
                for name in names:
                    (Path(aside) / name).replace(folder / name)
        except OSError as error:
            raise InputError(f"cannot write into {folder}; choose a folder you may write to ({error})") from error
        return {name: folder / name for name in names}

    @property
    def _given_clips(self) -> dict[str, Waveform]:
        """What the request named: reference and recording as far as there are, by these names."""
        clips = {"reference": self.reference, "recording": self.recording}
        return {name: clip for name, clip in clips.items() if clip is not None}

    def _write(self, folder: Path, with_figures: bool) -> list[str]:
        rate = self.before.sampling_rate
        audio.write_wav(folder / "before.wav", self.before.item(0).numpy(), rate, self.gain)
        audio.write_wav(folder / "after.wav", self.after.item(0).numpy(), rate, self.gain)
        for name, figure in self.figures().items() if with_figures else ():
            figure.savefig(folder / name)
        for name, clip in self._given_clips.items():
            audio.write_float_wav(folder / KEPT_CLIPS.format(name), clip.item(0).numpy(), clip.sampling_rate)
        text = json.dumps(self.record(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (folder / "edit.json").write_text(text, encoding="utf-8")
        return sorted(path.name for path in folder.iterdir())
