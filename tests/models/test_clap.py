"""The three CLAP backends on tiny random weights, without a network."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from latent_edit.axes import AxisValue
from latent_edit.errors import CheckpointError, InputError
from latent_edit.models.clap import load_style_encoder
from latent_edit.models.clap_mini import ClapMini, ClapMiniConfig, ClapMiniEncoder, log_mel, pad_mels, train_tokenizer
from latent_edit.types import Waveform

CAPTIONS = ["a whisper", "an angry shout", "sad and slow", "not loud", "very sad"]
WORDS = sorted({word for caption in CAPTIONS for word in caption.split()})


def tiny_config(vocabulary: int = 60) -> ClapMiniConfig:
    return ClapMiniConfig(
        axes=("pitch_semitones", "level_db"), axis_scales=(3.0, 4.0), vocabulary=vocabulary, dimension=16,
        mel_bands=20, audio_width=16, audio_blocks=2, text_width=16, text_layers=1, text_heads=2, max_tokens=12,
    )  # fmt: skip


@pytest.fixture(scope="module")
def mini() -> ClapMiniEncoder:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(CAPTIONS, 60)
    return ClapMiniEncoder(ClapMini(tiny_config(tokenizer.get_vocab_size())), tokenizer, WORDS, ["the", "voice"])


def noise(seconds: float, rate: int = 16_000, seed: int = 0, gain: float = 0.1) -> torch.Tensor:
    return gain * torch.randn(int(seconds * rate), generator=torch.Generator().manual_seed(seed))


def check_encoder(encoder: Any, tolerance: float = 1e-4) -> None:
    """What every backend owes to the protocol."""
    text = encoder.embed_text(["a whisper", "an angry shout"])
    rate = encoder.sampling_rate
    clips = [noise(12.0, rate, 1), noise(0.5, rate, 2)]
    both = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    audio = encoder.embed_audio(Waveform(both, torch.tensor([len(c) for c in clips]), rate))
    assert text.shape == audio.shape == (2, encoder.dimension)
    assert text.dtype == audio.dtype == torch.float32
    for embedding in (text, audio):
        torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))
    assert not torch.allclose(text[0], text[1], atol=1e-5)
    torch.manual_seed(1)
    again = torch.cat([encoder.embed_audio(Waveform.of(clip, rate)) for clip in clips])
    torch.testing.assert_close(again, audio, atol=tolerance, rtol=0)  # neither chance nor the batch counts
    assert len(encoder.hash) == 64 and encoder.name


def test_mini_keeps_the_protocol(mini: ClapMiniEncoder) -> None:
    check_encoder(mini)
    assert all(not parameter.requires_grad for parameter in mini.network.parameters())


def test_mini_round_trip(mini: ClapMiniEncoder, tmp_path: Path) -> None:
    mini.save(tmp_path / "first")
    once = load_style_encoder(tmp_path / "first")
    assert isinstance(once, ClapMiniEncoder)
    once.save(tmp_path / "second")
    twice = load_style_encoder(str(tmp_path / "second"))
    assert once.hash == twice.hash
    assert torch.equal(once.embed_text(CAPTIONS), twice.embed_text(CAPTIONS))
    torch.testing.assert_close(once.embed_text(CAPTIONS), mini.embed_text(CAPTIONS), atol=1e-2, rtol=0)
    assert once.trained_words == mini.trained_words and once.stop_words == mini.stop_words


def test_mini_is_found_by_its_bare_name(mini: ClapMiniEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mini.save(tmp_path / "clap-mini")
    monkeypatch.setenv("LATENT_EDIT_CHECKPOINTS", str(tmp_path))
    assert load_style_encoder("clap-mini").dimension == 16


def test_mini_hears_levels(mini: ClapMiniEncoder) -> None:
    clip = noise(1.0)
    loud = mini.embed_audio(Waveform.of(4 * clip, 16_000))
    assert not torch.allclose(loud, mini.embed_audio(Waveform.of(clip, 16_000)), atol=1e-4)
    config = mini.network.config
    rise = log_mel(4 * clip, 16_000, config) - log_mel(clip, 16_000, config)
    torch.testing.assert_close(rise.mean(), torch.tensor(16.0).log(), atol=0.02, rtol=0)


def test_mini_resamples_and_cuts_to_the_middle(mini: ClapMiniEncoder) -> None:
    clip = noise(12.0)
    middle = clip[16_000:-16_000]
    assert torch.equal(*(mini.embed_audio(Waveform.of(c, 16_000)) for c in (clip, middle)))
    from torchaudio.functional import resample

    tone = torch.sin(2 * torch.pi * 300 * torch.arange(16_000) / 16_000)
    other = mini.embed_audio(Waveform.of(resample(tone, 16_000, 44_100), 44_100))
    torch.testing.assert_close(other, mini.embed_audio(Waveform.of(tone, 16_000)), atol=0.05, rtol=0)


def test_padding_does_not_change_an_embedding(mini: ClapMiniEncoder) -> None:
    mels = [torch.randn(20, frames, generator=torch.Generator().manual_seed(frames)) for frames in (37, 80)]
    together = mini.network.embed_audio(*pad_mels(mels))
    alone = torch.cat([mini.network.embed_audio(*pad_mels([mel])) for mel in mels])
    torch.testing.assert_close(together, alone)
    batch, single = mini.embed_text(["sad", "an angry shout and not loud"]), mini.embed_text(["sad"])
    torch.testing.assert_close(batch[:1], single)


def test_unknown_words_are_named_and_left_out(mini: ClapMiniEncoder) -> None:
    assert mini.unknown_words("The voice: a SAD zebra, whispers") == ["zebra"]
    with_zebra, without, other = mini.embed_text(["a sad zebra", "a sad", "a calm"])
    torch.testing.assert_close(with_zebra, without, rtol=0, atol=1e-6)  # rows of a batch may differ in their last bits
    assert (other - without).abs().max() > 0.01
    assert mini.embed_text(["zebra"]).isfinite().all()


def test_predicted_axes_have_their_units(mini: ClapMiniEncoder) -> None:
    embedding = mini.embed_text(CAPTIONS[:1])
    (pitch, level), read = mini.network.axes(embedding)[0].tolist(), mini.axes(embedding)
    assert read == {"pitch_semitones": AxisValue(3 * pitch, 3.0), "level_db": AxisValue(4 * level, 4.0)}
    assert read["level_db"].steps == pytest.approx(level)


def test_a_clip_without_samples_is_refused(mini: ClapMiniEncoder) -> None:
    with pytest.raises(InputError, match="without samples"):
        mini.embed_audio(Waveform.of(torch.zeros(0), 16_000))


def test_damaged_mini_checkpoints_are_refused(mini: ClapMiniEncoder, tmp_path: Path) -> None:
    mini.save(tmp_path)
    (tmp_path / "tokenizer.json").write_text(train_tokenizer(["other"], 20).to_str())
    with pytest.raises(CheckpointError, match="does not belong"):
        load_style_encoder(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match="not a usable"):
        load_style_encoder(tmp_path)


def test_other_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no CLAP"):
        load_style_encoder("no such thing")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vits"}))
    with pytest.raises(CheckpointError, match="'vits', no CLAP"):
        load_style_encoder(tmp_path)


# ---- transformers ----


def tiny_roberta_tokenizer(folder: Path) -> Any:
    """A byte-level BPE in RoBERTa's files, made on the spot."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        CAPTIONS, vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False
    )
    bpe.save_model(str(folder))
    return RobertaTokenizer.from_pretrained(folder)


def tiny_clap(vocabulary: int) -> Any:
    from transformers import ClapConfig, ClapModel

    text = {
        "vocab_size": vocabulary, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 32, "projection_dim": 24, "pad_token_id": 1, "max_position_embeddings": 80,
    }  # fmt: skip
    audio = {
        "hidden_size": 16, "patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2],
        "projection_dim": 24, "spec_size": 64, "num_mel_bins": 16, "window_size": 4, "enable_fusion": False,
        "hidden_dropout_prob": 0.1,
    }  # fmt: skip
    torch.manual_seed(0)
    return ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=24))


@pytest.fixture(scope="module")
def clap_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import ClapFeatureExtractor, ClapProcessor

    folder = tmp_path_factory.mktemp("clap")
    tokenizer = tiny_roberta_tokenizer(folder / "tokenizer")
    features = ClapFeatureExtractor(
        feature_size=16, sampling_rate=8_000, hop_length=320, fft_window_size=512, max_length_s=10,
        truncation="rand_trunc", padding="repeatpad", frequency_max=4000,
    )  # fmt: skip
    tiny_clap(len(tokenizer)).save_pretrained(folder / "model")
    ClapProcessor(features, tokenizer).save_pretrained(folder / "model")
    return folder / "model"


def test_transformers_clap_keeps_the_protocol(clap_folder: Path) -> None:
    encoder = load_style_encoder(clap_folder)
    check_encoder(encoder)
    assert encoder.unknown_words("zebra") == []
    assert encoder.axes(encoder.embed_text(["calm"])) == {}


def test_transformers_clap_without_its_tokenizer_is_refused(clap_folder: Path, tmp_path: Path) -> None:
    """transformers loads it all the same, with a handful of tokens."""
    for path in clap_folder.iterdir():
        if not path.name.startswith(("tokenizer", "vocab", "merges", "special")):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(CheckpointError, match=r"token|cannot be loaded"):
        load_style_encoder(tmp_path)


def test_transformers_clap_with_missing_weights_is_refused(clap_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in clap_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop("text_projection.linear1.weight")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="lacks 1 weights"):
        load_style_encoder(tmp_path)


# ---- laion_clap ----


def laion_state(channels: int = 96) -> dict[str, torch.Tensor]:
    return {
        "module.audio_branch.patch_embed.proj.weight": torch.ones(channels, 1, 4, 4),
        "module.text_branch.embeddings.position_ids": torch.arange(6)[None],
    }


def test_laion_state_is_read_without_unpickling(tmp_path: Path) -> None:
    import numpy as np

    from latent_edit.models.clap_laion import POSITION_IDS, adapt_state, read_state

    path = tmp_path / "clap.pt"
    torch.save({"epoch": 3, "best": np.float64(0.5), "state_dict": laion_state()}, path)
    state = read_state(path)
    assert set(state) == {"audio_branch.patch_embed.proj.weight", POSITION_IDS}
    assert POSITION_IDS not in adapt_state(state, {"audio_branch.patch_embed.proj.weight": torch.ones(1)})
    own = torch.zeros(1, 6)
    state.pop(POSITION_IDS)
    assert adapt_state(state, {POSITION_IDS: own})[POSITION_IDS] is own


@pytest.mark.parametrize(("ours", "other"), [("numpy.core", "numpy._core"), ("numpy._core", "numpy.core")])
def test_laion_checkpoints_of_either_numpy_are_read(tmp_path: Path, ours: str, other: str) -> None:
    """numpy 2 renamed the module that pickles of its numbers name."""
    import numpy as np

    from latent_edit.models.clap_laion import read_state

    torch.save({"best": np.float64(0.5), "state_dict": laion_state()}, tmp_path / "ours.pt")
    with zipfile.ZipFile(tmp_path / "ours.pt") as saved, zipfile.ZipFile(tmp_path / "other.pt", "w") as renamed:
        for name in saved.namelist():
            renamed.writestr(name, saved.read(name).replace(f"{ours}.multi".encode(), f"{other}.multi".encode()))
    assert read_state(tmp_path / "other.pt").keys() == read_state(tmp_path / "ours.pt").keys()


def test_laion_files_where_the_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be installed from Python 3.13 on."""
    torch.save({"state_dict": laion_state()}, tmp_path / "clap.pt")
    monkeypatch.setitem(sys.modules, "laion_clap", None)
    with pytest.raises(CheckpointError, match="laion/clap-htsat-unfused"):
        load_style_encoder(tmp_path / "clap.pt")


class Trap:
    """Runs something when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.target,)


def test_laion_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path, touched = tmp_path / "clap.pt", tmp_path / "touched"
    torch.save({"state_dict": laion_state(), "trap": Trap(touched)}, path)
    with pytest.raises(CheckpointError, match="safely"):
        load_style_encoder(path)
    assert not touched.exists()
    path.write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="safely"):
        load_style_encoder(path)
    torch.save({"state_dict": {"other": torch.ones(1)}}, path)
    with pytest.raises(CheckpointError, match="HTSAT"):
        load_style_encoder(path)
    with pytest.raises(CheckpointError, match="there is no CLAP checkpoint"):
        load_style_encoder(tmp_path / "absent.pt")


LAION_SCRIPT = """
import sys, pathlib, torch
sys.path.insert(0, {tests!r})
from test_clap import check_encoder
from latent_edit.models.clap import load_style_encoder
from latent_edit.models.clap_laion import _module, POSITION_IDS
torch.manual_seed(0)
state = _module("HTSAT-tiny", False).model.state_dict()
state[POSITION_IDS] = torch.arange(82)[None]
state = {{"module." + key: value for key, value in state.items()}}
torch.save({{"epoch": 1, "state_dict": state}}, "clap.pt")
check_encoder(load_style_encoder(pathlib.Path("clap.pt")))
state.pop("module.logit_scale_a")
torch.save({{"state_dict": state}}, "short.pt")
try:
    load_style_encoder("short.pt")
except ValueError as error:
    print("refused:", error)
"""


def test_laion_clap_keeps_the_protocol(tmp_path: Path) -> None:
    """Full size with random weights and a tiny RoBERTa beside it; in its own process, for the import is heavy."""
    if importlib.util.find_spec("laion_clap") is None:  # importing it here would ask the network for tokenizers
        pytest.skip("laion_clap is not installed")
    from transformers import RobertaConfig, RobertaModel

    tokenizer = tiny_roberta_tokenizer(tmp_path / "roberta-base")
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=768, num_hidden_layers=1, num_attention_heads=12, intermediate_size=64,
        max_position_embeddings=82, pad_token_id=1,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(tmp_path / "roberta-base")
    tokenizer.save_pretrained(tmp_path / "roberta-base")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "HF_HUB_OFFLINE": "1"}
    script = LAION_SCRIPT.format(tests=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "refused:" in done.stdout and "logit_scale_a" in done.stdout
