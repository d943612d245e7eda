"""Whether a bridge draws or only predicts: how much several samples of one request differ in the shape of F0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latent_edit.request import EditRequest

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

SAMPLES = 4
FEWEST_FRAMES = 10  # that are voiced in all samples


def f0_variety(editor: LatentEditor, request: EditRequest) -> float | None:
    """Standard deviation over samples, in semitones, of F0 contours that were brought to one mean.

    The samples have the same source and the same style and other noise of the bridge, so that their frames correspond;
    the root mean square over the frames that are voiced in all of them. None where hardly any is, as in a whisper.
    """
    import torch

    from latent_edit.optimize.decoder_params import SpeakerDecoder

    decoder = SpeakerDecoder.of(editor.vits, request.voice)
    f0 = torch.cat([decoder.f0(latent.z) for latent in editor.samples(request, SAMPLES)])
    voiced = (f0 > 0).all(0)
    if int(voiced.sum()) < FEWEST_FRAMES:
        return None
    semitones = 12 * torch.log2(f0[:, voiced])
    shapes = semitones - semitones.mean(1, keepdim=True)
    return float(shapes.var(0).mean().sqrt())
