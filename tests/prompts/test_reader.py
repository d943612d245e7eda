"""The prompt reader means what people mean: kinds of prompts, each with several cases."""

from __future__ import annotations

import math
from functools import lru_cache

import pytest

from latent_edit.axes import AXES, LIMITS
from latent_edit.checkpoint import default_root
from latent_edit.config import load_styles
from latent_edit.evaluation.effects import free_prompts
from latent_edit.models.clap_mini import ClapMiniEncoder
from latent_edit.prompts.reader import NEUTRAL_TEXT, read_prompt
from latent_edit.prompts.reading import PromptReading

PITCH, RANGE, PACE, LEVEL, TILT, BREATH, TREMOR = AXES


class Words:
    """A vocabulary of two words."""

    def knows(self, word: str) -> bool:
        return word in ("livid", "table", "restrained")

    def nearest(self, word: str) -> str | None:
        return {"livid": "furious"}.get(word)


@lru_cache(maxsize=1)
def shipped() -> ClapMiniEncoder:
    return ClapMiniEncoder.load(default_root() / "clap-mini")


def read(prompt: str) -> PromptReading:
    """A prompt as the shipped editor reads it."""
    return read_prompt(prompt, shipped())


def named(prompt: str) -> set[str]:
    return {axis.name for axis in read(prompt).axes if axis.named}


@pytest.mark.parametrize("prompt", load_styles())
def test_presets_mean_what_they_say(prompt: str) -> None:
    reading = read(prompt)
    assert reading.text == prompt
    assert reading.values == pytest.approx({name: load_styles()[prompt].get(name, 0.0) for name in AXES})


@pytest.mark.parametrize("prompt", free_prompts())
def test_free_prompts_mean_what_the_lexicon_says(prompt: str) -> None:
    wanted = free_prompts()[prompt]
    assert read(prompt).values == pytest.approx({name: wanted.get(name, 0.0) for name in AXES}, abs=0.03)


@pytest.mark.parametrize(
    "prompt",
    [
        "never shout", "avoid shouting", "don't shout", "do not shout!", "dont yell", "no shouting please",
        "stop shouting",
        "without any shouting", "shouting is forbidden", "you must not shout", "don't you dare shout",
        "please refrain from yelling",
        "free of shouting", "hardly a shout", "by no means a shout", "never ever scream",
        "not a scream and not a shout",
        "I don't want you to shout", "anything but a shout", "neither shout nor scream",
        "refuse to shout", "decline to shout", "keep away from shouting", "nobody should be shouting here",
        "I hate shouting", "a shout? not at all",
    ],
)  # fmt: skip
def test_denied_is_not_asked_for(prompt: str) -> None:
    reading = read(prompt)
    assert not named(prompt)
    assert reading.text == NEUTRAL_TEXT
    assert reading.understood and reading.denied
    assert LEVEL in reading.exact and reading.exact[LEVEL] == 0.0


@pytest.mark.parametrize(
    "prompt",
    [
        "anything but sad", "not sad", "isn't sad", "never be sad", "without any sadness", "far from sad",
        "neither sad nor slow",
        "don't be sad and slow", "not sad, gloomy or slow", "less than sad", "avoid sounding sad",
        "the voice is not sad",
        "it should not sound sad at all", "zero sadness", "everything but sad", "lacking sadness",
        "devoid of sorrow and sadness",
        "un-enthusiastic",
    ],
)  # fmt: skip
def test_a_denied_mood_is_no_mood(prompt: str) -> None:
    reading = read(prompt)
    assert not named(prompt) and reading.emotion is None and reading.denied


@pytest.mark.parametrize(
    "prompt",
    [
        "whisper, don't shout", "not a shout but a whisper", "don't shout, whisper", "don't shout but whisper",
        "whisper instead of shouting", "instead of shouting, whisper", "whisper rather than shout",
        "rather than shouting, whisper",
        "a whisper, not a shout", "never shout, always whisper", "Don't shout. Whisper.",
        "no shouting, just a whisper",
        "don't shout and whisper", "whisper and don't shout", "stop shouting and whisper", "don't forget to whisper",
        "don't stop whispering", "nothing but a whisper", "why not whisper", "not just whisper it, whisper it",
        "you can't help but whisper", "whisper; shouting is not allowed",
    ],
)  # fmt: skip
def test_contrasts_and_double_negations(prompt: str) -> None:
    values = read(prompt).values
    assert values[BREATH] == 1.0 and values[LEVEL] == -8.0
    assert values[PITCH] == 0.0 and values[TILT] == 0.0


@pytest.mark.parametrize(
    ("prompt", "lost"),
    [
        ("happy but not loud", LEVEL), ("calm but not slow", PACE), ("excited, never loud", LEVEL),
        ("sad without being slow", PACE), ("happy, but don't be fast", PACE), ("calm, not slow", PACE),
    ],
)  # fmt: skip
def test_a_denied_axis_stays_while_the_rest_is_asked_for(prompt: str, lost: str) -> None:
    reading = read(prompt)
    assert reading.exact == {lost: 0.0}
    assert named(prompt) and reading.emotion


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("more like a whisper than a shout", "whisper"), ("more relaxed than sleepy", "more relaxed"),
        ("not so much sad as tired", "tired"), ("it's not that I'm sad, I'm just tired", "tired"),
        ("not slow, on the contrary fast", "fast"), ("she isn't scared, she's furious", "furious"),
        ("can't contain my joy", "joy"), ("don't hold back your anger", "anger"),
        ("sad? no, happy", "happy"), ("sad less, slower", "less sad, slower"), ("void of any emotion", "flat"),
        ("I hate you!", "angry"), ("rather sad than angry", "rather sad"),
        ("sad? No pauses.", "sad"), ("not so much energy", "less energy"), ("without further ado, sad", "sad"),
        ("a mean voice", "unfriendly"), ("a slightly faster-than-average pace", "a slightly fast pace"),
    ],
)  # fmt: skip
def test_the_other_side_is_not_asked_for(prompt: str, meant: str) -> None:
    reading, other = read(prompt), read(meant)
    assert (reading.values, reading.manner) == (other.values, other.manner)


def test_a_denied_mood_leaves_what_is_asked_for_by_name() -> None:
    assert read("slow but not tired").value(PACE) == pytest.approx(0.3)
    assert read_prompt("loud, but don't shout").value(LEVEL) == pytest.approx(7.0)
    both = read("not only sad but also slow").values
    assert both == pytest.approx(read("sad and slow").values, abs=0.05)


@pytest.mark.parametrize(
    ("weak", "strong", "axis"),
    [
        ("slightly sad", "sad", LEVEL), ("sad", "very sad", LEVEL), ("very sad", "extremely sad", LEVEL),
        ("a tad loud", "loud", LEVEL), ("loud", "as loud as possible", LEVEL), ("a bit faster", "faster", PACE),
        ("faster", "much faster", PACE), ("angry, but only slightly", "angry", TILT),
        ("a hint of anger", "anger", TILT),
        ("kinda slow", "slow", PACE), ("slow", "sooo slow", PACE), ("almost a whisper", "a whisper", BREATH),
        ("barely loud", "slightly loud", LEVEL), ("loud", "incredibly loud", LEVEL), ("sad", "deeply sad", TILT),
    ],
)  # fmt: skip
def test_intensity(weak: str, strong: str, axis: str) -> None:
    one, other = read(weak).value(axis), read(strong).value(axis)
    assert one * other > 0 and abs(one) < abs(other)


@pytest.mark.parametrize(
    ("prompt", "axis", "sign"),
    [
        ("faster", PACE, -1), ("slower", PACE, 1), ("louder", LEVEL, 1), ("less loud", LEVEL, -1),
        ("quieter", LEVEL, -1),
        ("higher", PITCH, 1), ("deeper", PITCH, -1), ("more quietly", LEVEL, -1), ("not so fast", PACE, 1),
        ("not too loud", LEVEL, -1),
        ("less breathy", BREATH, 0), ("less expressive", RANGE, -1), ("it was too loud", LEVEL, -1),
        ("you are too fast", PACE, 1),
        ("raise the pitch", PITCH, 1), ("lower the pitch", PITCH, -1), ("turn up the volume", LEVEL, 1),
        ("volume down", LEVEL, -1),
        ("increase the speed", PACE, -1), ("a low volume", LEVEL, -1), ("keep the volume low", LEVEL, -1),
        ("a fast pace", PACE, -1),
        ("the pitch should be higher", PITCH, 1), ("a narrow range", RANGE, -1), ("less emotion", RANGE, -1),
        ("don't be so fast", PACE, 1),
        ("too slow", PACE, -1), ("a bit too loud", LEVEL, -1), ("way too quiet", LEVEL, 1), ("shout less", LEVEL, -1),
        ("too slow and too quiet", LEVEL, 1), ("speak too loudly", LEVEL, 1),
        ("not loud enough", LEVEL, 1), ("it isn't slow enough", PACE, 1), ("not exactly cheerful", PITCH, -1),
        ("not happy at all, quite the contrary", PITCH, -1),
        ("tone down the anger", TILT, -1), ("more emotion", RANGE, 1), ("no emotion", RANGE, -1),
        ("hardly any emotion", RANGE, -1),
    ],
)  # fmt: skip
def test_comparisons_and_axes_by_name(prompt: str, axis: str, sign: int) -> None:
    value = read(prompt).value(axis)
    assert math.copysign(1, value) == sign and value if sign else value == 0.0


@pytest.mark.parametrize(
    ("prompt", "axis", "value"),
    [
        ("half the speed", PACE, math.log(2)), ("at half speed", PACE, math.log(2)),
        ("half as fast", PACE, math.log(2)),
        ("twice as slow", PACE, math.log(2)), ("twice as fast", PACE, -math.log(2)),
        ("double the speed", PACE, -math.log(2)),
        ("2x faster", PACE, -math.log(2)), ("at 0.5x speed", PACE, math.log(2)),
        ("1.5 times the normal pace", PACE, -math.log(1.5)),
        ("20 percent slower", PACE, -math.log(0.8)), ("20% faster", PACE, -math.log(1.2)),
        ("at 80% speed", PACE, -math.log(0.8)),
        ("slow it down by a quarter", PACE, -math.log(0.75)), ("speed it up by ten percent", PACE, -math.log(1.1)),
        ("twenty-five percent slower", PACE, -math.log(0.75)), ("take twice as long", PACE, math.log(2)),
        ("30% longer", PACE, math.log(1.3)),
        ("in half the time", PACE, -math.log(2)), ("speed 1.25", PACE, -math.log(1.25)),
        ("two semitones higher", PITCH, 2.0), ("2 st lower", PITCH, -2.0),
        ("raise the pitch by three semitones", PITCH, 3.0),
        ("pitch down one and a half semitones", PITCH, -1.5), ("an octave higher", PITCH, 12.0),
        ("half an octave lower", PITCH, -6.0),
        ("+4 semitones", PITCH, 4.0), ("a semitone deeper", PITCH, -1.0), ("50 cents up", PITCH, 0.5),
        ("a couple of semitones up", PITCH, 2.0),
        ("no more than 2 semitones higher", PITCH, 2.0), ("a whole tone higher", PITCH, 2.0),
        ("10 dB louder", LEVEL, 10.0), ("ten decibels quieter", LEVEL, -10.0), ("-6 dB", LEVEL, -6.0),
        ("louder by 3 dB", LEVEL, 3.0),
        ("turn the volume down by 5 dB", LEVEL, -5.0), ("twice as loud", LEVEL, 10.0),
        ("half as loud", LEVEL, -10.0), ("5-7 dB louder", LEVEL, 6.0),
        ("half the pitch range", RANGE, -1.0), ("breathiness 0.5", BREATH, 0.5),
        ("a tremor of 1 semitone", TREMOR, 1.0),
        ("increase the speed by half", PACE, -math.log(1.5)), ("increase the speed by a third", PACE, -math.log(4 / 3)),
        ("reduce the speed by a third", PACE, math.log(1.5)), ("cut the speed in half", PACE, math.log(2)),
        ("increase the speed to 120%", PACE, -math.log(1.2)), ("speed up to 150%", PACE, -math.log(1.5)),
        ("slow it down to 60%", PACE, -math.log(0.6)), ("slow it down to 0.5x", PACE, math.log(2)),
        ("slow it down to half speed", PACE, math.log(2)), ("up to 20% faster", PACE, -math.log(1.2)),
        ("a hundred and fifty percent speed", PACE, -math.log(1.5)), ("two hundred percent of the volume", LEVEL, 10.0),
        ("drop the pitch by a third", PITCH, -4.0), ("raise it by a fifth", PITCH, 7.0), ("down a fourth", PITCH, -5.0),
        ("a third higher", PITCH, 4.0), ("a bit higher, maybe 1 or 2 semitones", PITCH, 1.5),
    ],
)  # fmt: skip
def test_numbers_are_exact(prompt: str, axis: str, value: float) -> None:
    reading = read(prompt)
    assert reading.exact.keys() == {axis}
    assert reading.exact[axis] == pytest.approx(value)
    assert not {a.name for a in reading.axes if a.named} - {axis}


def test_several_numbers_with_a_mood() -> None:
    reading = read_prompt("Sad, 20 percent slower and two semitones lower. 3 dB quieter, please!")
    assert reading.exact == pytest.approx({PITCH: -2.0, PACE: -math.log(0.8), LEVEL: -3.0})
    assert reading.emotion == "sadness" and "sad" in reading.text


def test_numbers_beyond_the_limits_are_limited_and_said_so() -> None:
    reading = read("five times slower")
    assert reading.exact[PACE] == LIMITS[PACE][1] and reading.notes
    assert read("3 semitones").notes and not read("3 semitones").exact


@pytest.mark.parametrize(
    "prompt", ["at 200 Hz", "at 120 words per minute", "make it 3 seconds long", "10 seconds slower"]
)
def test_numbers_of_a_whole_sentence_have_no_effect_and_are_told(prompt: str) -> None:
    reading = read(prompt)
    assert reading.notes and not any(reading.values.values()) and not reading.not_understood


@pytest.mark.parametrize(
    "prompt", ["half asleep", "one voice", "a tone of sadness", "speak twice", "a little bit", "two friends talking"]
)
def test_numbers_that_are_none(prompt: str) -> None:
    assert not read(prompt).exact


@pytest.mark.parametrize(
    "prompt",
    [
        "always whisper", "whisper often", "two people whispering already", "whisper twice, your hand on your head",
        "the doctor and the dog whisper", "whisper for a hundred years", "a whisper from across the water",
        "whisper, pls", "turn it into a whisper on the left side", "a whisper creeping into the third sentence",
        "push it to a whisper", "carry on whispering",
    ],
)  # fmt: skip
def test_everyday_words_are_no_styles(prompt: str) -> None:
    assert read(prompt).values == read("whisper").values


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("a wisper", "whisper"), ("whipser it", "whisper"), ("shuot", "shout"), ("agnry", "angry"),
        ("a hapy voice", "happy"),
        ("hapyy", "happy"), ("angri", "angrier"),
        ("very exited", "excited"), ("slwoly", "slowly"), ("monotne", "monotone"), ("cheefrul", "cheerful"),
        ("loudd", "loud"),
    ],
)  # fmt: skip
def test_typos_are_mended_and_said_so(prompt: str, meant: str) -> None:
    reading = read(prompt)
    assert [(s.taken_as, s.typo) for s in reading.substitutions] == [(meant, True)]
    assert reading.values == read(prompt.replace(reading.substitutions[0].word, meant)).values


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("over the moon", "delighted"), ("on cloud nine", "delighted"), ("seething", "furious"),
        ("blow your top", "furious"), ("my heart is racing", "nervous"), ("about to burst into tears", "about to cry"),
        ("like you've seen a ghost", "seeing a ghost"), ("bored to death", "bored"), ("feeling blue", "blue"),
        ("low-key", "laid-back"), ("with bated breath", "hushed"), ("walking on eggshells", "softly"),
        ("as quiet as a mouse", "quiet"), ("laughing hysterically", "laughing"), ("gutted", "heartbroken"),
        ("with a lump in your throat", "sad"), ("fed up with everything", "frustrated"),
        ("through gritted teeth", "through clenched teeth"), ("scarred to death", "terrified"),
    ],
)  # fmt: skip
def test_sayings(prompt: str, meant: str) -> None:
    reading, other = read(prompt), read(meant)
    assert (reading.values, reading.emotion) == (other.values, other.emotion)
    assert not reading.not_understood


def test_a_saying_is_given_to_the_clap_in_words_that_it_knows() -> None:
    assert read("over the moon").text == "delighted"
    assert read("reading a story").text == "reading a story"


def test_what_looks_like_an_inflection_is_told() -> None:
    assert [(s.word, s.taken_as) for s in read("calmy").substitutions] == [("calmy", "calm")]
    assert not read("it trembles").substitutions


def test_unknown_words_are_taken_as_the_nearest_known_one() -> None:
    reading = read_prompt("a livid table, zqxv", Words())
    assert [(s.word, s.taken_as, s.typo) for s in reading.substitutions] == [("livid", "furious", False)]
    assert reading.not_understood == ("table", "zqxv") and reading.emotion == "anger"
    assert not read_prompt("restrained", Words()).substitutions  # a word of its own is no misspelt "strained"
    assert not read("zqxv").understood


@pytest.mark.parametrize(
    "prompt",
    [
        "over the telephone", "in a cathedral", "with a british accent", "long pauses between sentences",
        "giggling", "sing it",
        "like Morgan Freeman", "with reverb", "speak French", "a one-second pause after every period", "on the phone",
        "someone else's voice", "with rising intonation", "translate it", "in the style of Barack Obama",
    ],
)  # fmt: skip
def test_out_of_scope_has_no_effect_and_is_said(prompt: str) -> None:
    reading = read(prompt)
    assert reading.out_of_scope and not named(prompt) and reading.text == NEUTRAL_TEXT
    assert not any(item.effect for item in reading.out_of_scope)


@pytest.mark.parametrize(
    ("prompt", "axis", "sign"),
    [
        ("a ten year old boy", PITCH, 1), ("a 7-year-old", PITCH, 1), ("an eighty year old woman", TREMOR, 1),
        ("a man", PITCH, -1),
        ("a five year old girl", PITCH, 1), ("a 70 years old lady", TREMOR, 1),
    ],
)  # fmt: skip
def test_age_and_sex_change_the_manner_of_the_same_voice(prompt: str, axis: str, sign: int) -> None:
    reading = read(prompt)
    assert reading.value(axis) * sign > 0
    assert [item.effect for item in reading.out_of_scope] == [True]


@pytest.mark.parametrize(
    "prompt",
    [
        "first a whisper, then a shout", "start with a whisper and end with a shout", "whisper, then shout",
        "begin with a whisper, finally shout",
        "from a whisper to a shout", "whisper at first and shout towards the end",
    ],
)  # fmt: skip
def test_of_a_sequence_the_first_is_taken_with_a_note(prompt: str) -> None:
    reading = read(prompt)
    assert reading.notes
    assert reading.value(BREATH) == 1.0 and reading.value(TILT) == 0.0


def test_a_change_from_one_style_to_another_is_the_other() -> None:
    reading = read("change the style from dramatic to flat")
    assert reading.values == read("flat").values and not reading.notes


@pytest.mark.parametrize("prompt", ["шёпотом", "悲しい声で", "بهمس", "une voix douce"])
def test_other_languages_get_a_note_and_no_effect(prompt: str) -> None:
    reading = read(prompt)
    assert (reading.notes or reading.not_understood) and not named(prompt)


@pytest.mark.parametrize(
    "prompt", ["loud whisper", "sad and happy", "fast and slow", "a shouted whisper", "quiet shouting"]
)
def test_contradictions_are_told(prompt: str) -> None:
    assert any("contradict" in note for note in read(prompt).notes)


@pytest.mark.parametrize(
    "prompt", ["sad and slow", "whisper softly", "happy and excited", "fast and urgent", "calm and deep"]
)
def test_what_goes_together_is_no_contradiction(prompt: str) -> None:
    assert not read(prompt).notes


def test_words_of_each_axis_are_told() -> None:
    reading = read_prompt("Very SAD, but fast")
    words = {axis.name: axis.words for axis in reading.axes}
    assert words[LEVEL] == ("SAD",) and set(words[PACE]) == {"SAD", "fast"}


def test_axes_by_hand_go_before_all() -> None:
    reading = read("sad and slow").corrected({LEVEL: 2.0})
    assert reading.value(LEVEL) == 2.0 and reading.exact == {LEVEL: 2.0} and reading.value(PITCH) == -3.0
    assert read("sad").corrected(None) == read("sad")


def test_medium_holds_an_axis() -> None:
    reading = read("a happy voice at a moderate pace")
    assert reading.exact == {PACE: 0.0} and reading.emotion == "joy"


@pytest.mark.parametrize(("prompt", "emotion"), [("😢", "weeping"), ("😱!", "fear"), ("happy 😀", "joy")])
def test_faces_are_read_in_words_and_said_so(prompt: str, emotion: str) -> None:
    reading = read(prompt)
    assert reading.understood and reading.emotion == emotion and reading.prompt == prompt
    assert any("is read as" in note for note in reading.notes)


@pytest.mark.parametrize("prompt", ["❤", "!!!", ":-)"])
def test_signs_alone_ask_for_nothing_and_are_told(prompt: str) -> None:
    reading = read(prompt)
    assert not reading.understood and reading.notes and not any(reading.values.values())
