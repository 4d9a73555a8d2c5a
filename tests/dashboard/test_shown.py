import html

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import shown
from tests.examples import examples

MARKS = "\u202e\u200b\x00\x1b\u2028\ufeff"


@given(st.text() | st.text(alphabet=MARKS + "<&a\n"), st.integers(0, 400))
@settings(max_examples=examples(50))
def test_a_beginning_has_no_more_bytes_than_it_may_and_nothing_hidden(text, most):
    beginning = shown.beginning(text, most)
    kept, _, left_out = beginning.partition(" … ") if "more letters" in beginning else (beginning, "", "")
    assert len(html.escape(kept).encode(errors="replace")) <= most or not left_out
    assert not any(mark in beginning for mark in MARKS)


def test_a_beginning_says_how_much_is_left_out():
    assert shown.beginning("abc", 3) == "abc"
    assert shown.beginning("a" * 5000, 10) == "a" * 10 + " … 4,990 more letters"
    assert shown.beginning('"' * 9, 10) == '"" … 7 more letters'
    assert shown.beginning({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    assert shown.beginning(None) == ""


def test_a_hidden_mark_stands_there_by_its_name():
    assert shown.text("invoice\u202efdp") == shown.beginning("invoice\u202efdp") == "invoice<U+202E>fdp"


def test_figures():
    assert shown.percent(0.9163) == "91.6%"
    assert shown.percent(None) == "-"
    assert shown.points(-0.0312) == "-3.1"
    assert shown.between([0.1, 0.25]) == "10.0% to 25.0%"
    assert shown.between([-0.1, 0.25], signed=True) == "-10.0 to +25.0"
    assert shown.between(None) == "no interval"
    assert (shown.dollars(0.0000294), shown.dollars(0.5), shown.dollars(0.9999)) == ("$0.0000294", "$0.50", "$1.00")
    assert (shown.dollars(1234.5), shown.dollars(0.00012), shown.dollars(0), shown.dollars(None)) == (
        "$1,234.50",
        "$0.00012",
        "$0.00",
        "no price",
    )
    assert (shown.chance(5.02e-15), shown.chance(0.0432), shown.chance(None)) == ("5e-15", "0.043", "-")
    assert (shown.when(1_790_000_000), shown.when(None), shown.when(10**15)) == ("2026-09-21 14:13", "", str(10**15))
    assert (shown.count(1234), shown.milliseconds(1234.6)) == ("1,234", "1,235 ms")


def test_only_addresses_of_the_web_are_links():
    assert shown.web_address("https://example.com/a?b=c") == "https://example.com/a?b=c"
    for other in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.com",
        "https://",
        "https://a b",
        "http://[",
        7,
        None,
    ):
        assert shown.web_address(other) is None
