import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graders.grade import TooLarge
from tests.graders.asking import criterion, grade

REGEX = {"type": "regex", "name": "r", "input": "{{ sample.output_text }}"}


def passes(pattern, text, **options):
    return grade({**REGEX, "pattern": pattern, **options}, {}, {"output_text": text}).passed


@given(text=st.text(max_size=30), part=st.text(min_size=1, max_size=5))
def test_a_quoted_text_is_found_where_it_stands(text, part):
    assert passes(re.escape(part), text + part)
    assert passes(re.escape(part), part, match="full")
    assert passes(re.escape(part), text, match="none") == (part not in text)


@given(
    text=st.text(alphabet="ab\n", max_size=12),
    pattern=st.sampled_from(["a+b", "^a", "b$", "(a|b)*", "[^a]", "a{2}", "a??b", "."]),
)
def test_common_syntax_means_what_it_means_in_python(text, pattern):
    if not (pattern.endswith("$") and text.endswith("\n")):
        assert passes(pattern, text) == bool(re.search(pattern, text))
    assert passes(pattern, text, match="full") == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "([a-z]+)*[0-9]"])
def test_no_pattern_runs_away(pattern):
    started = time.monotonic()
    assert not passes(pattern, "a" * 100_000 + "!")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape"),
        ("(", "missing"),
        ("a{5000}", "repetition"),
        ("", "pattern"),
    ],
)
def test_a_pattern_that_cannot_be_bounded_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(ValidationError, match=reason):
        criterion({**REGEX, "pattern": pattern})


def test_a_pattern_that_is_too_large_for_its_text_is_told():
    assert passes("(a?){990}b", "a" * 1_000 + "b")
    with pytest.raises(TooLarge, match="3965 instructions, too many for a text of 20000 bytes"):
        passes("(a?){990}b", "a" * 20_000)
