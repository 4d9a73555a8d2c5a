import pytest

from local.lab.labels import read_task


def task(system, user="I lost my card, please help."):
    return read_task([{"role": "system", "content": system}, {"role": "user", "content": user}])


@pytest.mark.parametrize(
    "instructions",
    [
        'Choose from ["lost card", "refund", "top_up"].',
        "Choose from ['lost card', 'refund', 'top_up'] only.",
        "Answer with `lost card`, `refund` or `top_up`.",
        "Categories: lost card, refund, top_up.",
        "Pick one of the following labels: lost card, refund, or top_up. Say nothing else.",
        "Sort the message.\nIntents: lost card, refund and top_up\nAnswer with the intent.",
        "The queues:\n- lost card: gone or stolen, also: broken\n- refund: money, back\n- top_up - adding money\n\nGo.",
        "The queues:\n1. **lost card**\n2. **refund**\n3. **top_up**",
    ],
)
def test_labels_are_found_however_they_are_listed(instructions):
    assert task(instructions).labels == ("lost card", "refund", "top_up")


def test_the_text_after_a_bullets_name_describes_it():
    task_ = task("- `refund`: money that comes back\n- `top_up`: adding money")
    assert task_.labels == ("refund", "top_up")
    assert "comes back" in task_.descriptions[0]


def test_labels_in_the_instructions_leave_the_whole_question():
    question = "Which is it, a, b or c?\n- one\n- two"
    assert task("Labels: refund, top_up", question).text == question


@pytest.mark.parametrize(
    "question",
    [
        'Classify into: ["refund", "top_up"]. Answer in JSON: {"intent": "name"}. \nMessage: my money is gone',
        'Message: my money is gone\n\nWhich of ["refund", "top_up"]? Answer in JSON: {"intent": "name"}',
    ],
)
def test_a_list_in_the_question_is_not_part_of_the_input(question):
    task_ = task("You are a classifier.", question)
    assert task_.labels == ("refund", "top_up")
    assert task_.text.strip().startswith("my money is gone")
    assert "intent" not in task_.text
    assert task_.json_key == "intent"


def test_without_a_heading_the_longer_side_is_the_input():
    long = "my money went away last week and nobody told me"
    assert long in task("Classify.", f'{long} ["refund", "top_up"]').text


@pytest.mark.parametrize("system", ["", "Be kind.", 'Only ["one"].', "Rules: be brief. Then stop."])
def test_a_prompt_without_labels_has_none(system):
    assert task(system).labels == ()
