from dashboard.filters import query_of, source_of

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
