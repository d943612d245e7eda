"""Where the clips of a condition come from: conditions are data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from latent_edit.config import StrictModel

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class Edit(StrictModel):
    """Z' of the editor with these settings; `correction: false` leaves it as the bridge alone makes it."""

    source: Literal["edit"]
    method: str = "i2sb"
    guidance: float = 1.0
    strength: float = 1.0
    steps: int = 10
    correction: bool = True


class Before(StrictModel):
    """The plain synthesis that an edit starts from."""

    source: Literal["before"]


class Correction(StrictModel):
    """The attribute correction alone, from the time-scaled plain synthesis and without a bridge; timing of `method`."""

    source: Literal["correction"]
    method: str = "i2sb"


class World(StrictModel):
    """Signal processing: the axes that the CLAP predicts for the prompt, applied by WORLD to the plain synthesis."""

    source: Literal["world"]


class Folder(StrictModel):
    """Finished clips of any origin: {item}.wav (or .flac, .ogg, .mp3) in a folder, relative to the study file."""

    source: Literal["folder"]
    folder: str


class Anchor(StrictModel):
    """Another condition through a low-pass filter, as ITU-R BS.1534 has it: 3500 or 7000 Hz."""

    source: Literal["anchor"]
    of: Name
    cut_hz: float = Field(3500.0, gt=100, lt=20_000)


Condition = Annotated[Edit | Before | Correction | World | Folder | Anchor, Field(discriminator="source")]
