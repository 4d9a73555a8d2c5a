import json

import pytest

from local.lab.guesser import guess, in_words

LABELS = '["credit_reporting", "debt_collection", "mortgages_and_loans"]'


def ask(user, system=f"Choose from {LABELS}.", response_format=None):
    return guess([{"role": "system", "content": system}, {"role": "user", "content": user}], response_format)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A debt collector keeps calling me", "debt_collection"),
        ("wrong entry in my credit report", "credit_reporting"),
        ("They raised the rate of my mortgage loan", "mortgages_and_loans"),
    ],
)
def test_the_label_with_the_inputs_words_is_chosen(text, label):
    assert ask(text) == label


def test_a_description_helps():
    system = "- hotel: rooms and beds\n- flight: planes and airports"
    assert ask("the airport was closed", system) == "flight"


def test_it_knows_no_synonyms():
    assert ask("my house payment went up") != "mortgages_and_loans"


def test_a_tie_goes_to_the_label_named_first():
    assert ask("zzz") == "credit_reporting"
    assert ask("xyz xyz", "Choose from ['b b', 'a a'].") == "b b"


def test_the_answer_takes_the_json_form_that_the_prompt_shows():
    question = f'Choose from {LABELS}. Answer as JSON: {{"product": "chosen"}}. \nComplaint: collectors of a debt'
    assert ask(question, "You classify.") == '{"product": "debt_collection"}'


def test_json_mode_without_a_shape_still_is_json():
    assert json.loads(ask("a debt", response_format={"type": "json_object"})) == {"answer": "debt_collection"}


def test_a_schema_is_filled_with_its_own_labels():
    schema = {"type": "object", "properties": {"queue": {"enum": ["money", "travel plans"]}, "why": {"type": "string"}}}
    response_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer = json.loads(ask("We plan to travel. Soon.", "", response_format))
    assert answer == {"queue": "travel plans", "why": "We plan to travel."}


def test_without_labels_it_repeats_the_first_sentence():
    assert ask("My phone broke. What now?", "Be helpful.") == "My phone broke."


def test_names_are_split_into_words():
    assert in_words("cardArrival_and-more") == "card Arrival and more"
