import pytest

from dashboard.filters import form_of, query_of, source_of
from foundation.errors import ApiError

FORM = {
    "model": "gpt-4o",
    "tags": "feature=triage, note=a=b",
    "since": "2026-11-01",
    "until": "2026-11-29",
    "min_tokens": "10",
    "has_error": "true",
    "text": "",
}


def test_a_form_is_a_source_of_rows():
    assert source_of(FORM) == {
        "type": "stored_completions",
        "model": "gpt-4o",
        "metadata": {"feature": "triage", "note": "a=b"},
        "created_after": 1_793_491_200,
        "created_before": 1_795_996_799,
        "min_tokens": 10,
        "has_error": True,
    }


def test_a_form_is_the_same_query_of_the_api():
    assert query_of(FORM) == {
        "model": "gpt-4o",
        "metadata[feature]": "triage",
        "metadata[note]": "a=b",
        "created_after": "1793491200",
        "created_before": "1795996799",
        "min_tokens": "10",
        "has_error": "true",
    }
    assert query_of({}) == {}


def test_costs_go_from_form_to_api_and_back():
    form = {"min_cost_usd": "0.00002", "max_cost_usd": "5"}
    source = source_of(form)
    assert source == {"type": "stored_completions", "min_cost_usd": 0.00002, "max_cost_usd": 5.0}
    assert query_of(form) == form
    assert form_of({name: value for name, value in source.items() if name != "type"}) == form


@pytest.mark.parametrize("written", ["cheap", "1e-3", "-1", "nan", ".", "1,5", "\u0661", "1" * 10])
def test_a_cost_that_is_no_number_is_refused_by_name(written):
    with pytest.raises(ApiError) as refused:
        source_of({"max_cost_usd": written})
    assert refused.value.param == "max_cost_usd"
