"""The metrics against the libraries that define them, their invariants, and what each score is stamped with."""

import math
import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.gleu_score import sentence_gleu
from pydantic import ValidationError
from rapidfuzz import __version__ as rapidfuzz_version
from rapidfuzz import fuzz, utils
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from graders import NotGradable
from graders.grade import TooLarge
from graders.metrics import METRICS
from graders.metrics.bleu import tokens
from tests.graders.asking import Models, criterion, grade

METHOD_4 = SmoothingFunction().method4
ROUGE = [*(f"rouge_{n}" for n in range(1, 6)), "rouge_l"]
SYMMETRIC = ["gleu", *ROUGE]

words = st.sampled_from(
    ["the", "cat", "Cat", "sat", "mat", "3.5", "don't", "1-2", "é", "&amp;", "<b>", "a,b", "end.", "-"]
)
sentences = st.lists(words, max_size=14).map(" ".join)
anything = st.text(max_size=60)
texts = sentences | anything
five_words = st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=5, max_size=9).map(" ".join)


def definition(metric, **changes):
    return {
        "type": "text_similarity",
        "name": "n",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference }}",
        "evaluation_metric": metric,
        "pass_threshold": 0.5,
        **changes,
    }


def scored(metric, text, reference):
    """The score; None where there is nothing to compare."""
    try:
        return METRICS[metric].score(text, reference)
    except NotGradable:
        return None


@given(texts)
def test_tokens_are_those_of_mteval_13a(text):
    assert tokens(text) == Tokenizer13a()(text).split()


@given(text=texts, reference=texts)
def test_bleu_and_gleu_are_nltks(text, reference):
    if not tokens(reference):
        assert scored("bleu", text, reference) is scored("gleu", text, reference) is None
        return
    bleu = sentence_bleu([tokens(reference)], tokens(text), smoothing_function=METHOD_4)
    assert scored("bleu", text, reference) == pytest.approx(bleu, abs=1e-12)
    gleu = sentence_gleu([tokens(reference)], tokens(text))
    assert scored("gleu", text, reference) == pytest.approx(gleu, abs=1e-12)


@given(text=texts, reference=texts)
def test_rouge_is_rouge_scores(text, reference):
    names = {name: name.replace("_l", "L").replace("_", "") for name in ROUGE}
    expected = RougeScorer(list(names.values()), use_stemmer=False).score(target=reference, prediction=text)
    for name, theirs in names.items():
        result = scored(name, text, reference)
        assert (0.0 if result is None else result) == pytest.approx(expected[theirs].fmeasure, abs=1e-12), name


@given(text=texts, reference=texts)
def test_fuzzy_match_is_rapidfuzzs(text, reference):
    result = scored("fuzzy_match", text, reference)
    if utils.default_process(reference):
        assert result == fuzz.WRatio(text, reference, processor=utils.default_process) / 100
    else:
        assert (result or 0.0) == fuzz.WRatio(text.strip(), reference.strip()) / 100


@pytest.mark.parametrize(
    ("text", "reference", "score"), [("🙂", "🙂", 1), (" 🙂\n", "🙂", 1), ("🙁", "🙂", 0), ("yes", "🙂", 0)]
)
def test_fuzzy_match_compares_signs_where_the_reference_has_nothing_else(text, reference, score):
    assert scored("fuzzy_match", text, reference) == score


def test_fuzzy_match_with_an_empty_reference_is_not_gradable():
    with pytest.raises(NotGradable, match="the reference is empty"):
        grade(definition("fuzzy_match"), {"reference": " "}, {"output_text": "x"})


@pytest.mark.parametrize("metric", METRICS)
@given(text=texts, reference=texts)
def test_a_score_lies_between_0_and_1(metric, text, reference):
    result = scored(metric, text, reference)
    assert result is None or 0 <= result <= 1 + 1e-12


@pytest.mark.parametrize("metric", METRICS)
@given(text=five_words)
def test_a_text_is_like_itself(metric, text):
    assert scored(metric, text, text) == pytest.approx(1)


@pytest.mark.parametrize("metric", SYMMETRIC)
@given(text=five_words, reference=five_words)
def test_input_and_reference_may_change_places(metric, text, reference):
    assert scored(metric, text, reference) == pytest.approx(scored(metric, reference, text))


@pytest.mark.parametrize("metric", METRICS)
def test_every_score_is_stamped_with_definition_and_version(metric):
    result = grade(definition(metric), {"reference": "a b c d e"}, {"output_text": "a b c d e"})
    assert result.sample["metric"] == metric
    assert result.sample["definition"]
    assert result.sample["version"] == (f"rapidfuzz {rapidfuzz_version}" if metric == "fuzzy_match" else "stillhouse 1")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"evaluation_metric": "meteor"}, "WordNet"),
        ({"evaluation_metric": "levenshtein"}, "evaluation_metric"),
        ({"pass_threshold": None}, "pass_threshold"),
        ({"pass_threshold": 80}, "pass_threshold"),
        ({"embedding_model": "e5"}, "embedding_model"),
    ],
)
def test_a_wrong_definition_is_refused_and_named(change, named):
    with pytest.raises(ValidationError, match=named):
        criterion(definition("bleu", **change))


def test_a_threshold_is_required():
    wanted = definition("bleu")
    del wanted["pass_threshold"]
    with pytest.raises(ValidationError, match="pass_threshold"):
        criterion(wanted)


def packed(*numbers):
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def test_cosine_asks_once_for_both_texts_and_reads_base64():
    models = Models(embeddings=[packed(1.0, 1.0), packed(1.0, 0.0)])
    result = grade(definition("cosine"), {"reference": "R"}, {"output_text": "T"}, models)
    assert models.asked == [{"model": "text-embedding-3-large", "input": ["T", "R"], "encoding_format": "base64"}]
    assert result.score == pytest.approx(math.sqrt(0.5))
    assert result.passed
    assert result.sample["version"] == "text-embedding-3-large"


@pytest.mark.parametrize(
    "embeddings",
    [
        [],
        [[1.0]],
        [[1.0], [1.0, 2.0]],
        [["a"], ["b"]],
        ["no base64!", "x"],
        [packed(float("nan")), packed(1.0)],
        [packed(float("inf")), packed(1.0)],
        [[0.0], [0.0]],
        [None, None],
    ],
)
def test_an_answer_that_is_no_two_vectors_is_not_gradable(embeddings):
    with pytest.raises(NotGradable, match="text-embedding-3-large"):
        grade(definition("cosine"), {"reference": "R"}, {"output_text": "T"}, Models(embeddings=embeddings))


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=3).filter(lambda number: math.hypot(*number) > 1e-3))
def test_the_cosine_of_a_vector_with_itself_and_its_opposite(vector):
    for other, expected in ((vector, 1), ([-number for number in vector], -1)):
        models = Models(embeddings=[vector, other])
        result = grade(definition("cosine"), {"reference": "R"}, {"output_text": "T"}, models)
        assert result.score == pytest.approx(expected)
        assert -1 <= result.score <= 1


@pytest.mark.parametrize(
    ("metric", "text", "reference", "sizes"),
    [
        ("fuzzy_match", "ab" * 5_000, "cd" * 1_500, "10000 and 3000 letters"),
        ("fuzzy_match", "ab" * 20_000, "cd" * 20_000, "40000 and 40000 letters"),
        ("rouge_l", "a " * 40_000, "b " * 40_000, "40000 and 40000 words"),
        ("gleu", "a" * 1_000_001, "b", "1000001 letters"),
        ("bleu", "a", "b" * 1_000_001, "1000001 letters"),
    ],
)
def test_texts_that_cost_too_much_are_not_graded(metric, text, reference, sizes):
    with pytest.raises(TooLarge, match=sizes):
        grade(definition(metric), {"reference": reference}, {"output_text": text})
