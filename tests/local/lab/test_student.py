import threading

import pytest

from local.lab.student import LARGE, SMALL, Example, Frame, train

HEAD, TAIL = "system\nOne of: refund, shipping.\nuser\nMail: ", "\nWhich queue?"
TEXTS = {
    "refund": ["money back please", "give me my money", "the money was charged twice", "money money"],
    "shipping": ["the parcel is late", "where is my parcel", "parcel lost by the courier", "parcel not here"],
}


def prompt(text):
    return HEAD + text + TAIL


EXAMPLES = [Example(prompt(text), label) for label, texts in TEXTS.items() for text in texts]


@pytest.mark.parametrize(("recipe", "passes"), [(SMALL, 10), (LARGE, 1000)])
def test_it_learns_to_answer_as_its_examples_do(recipe, passes):
    student = train(EXAMPLES, recipe=recipe, seed=1, passes=passes)
    assert student.answer(prompt("I want all the money")) == "refund"
    assert student.answer(prompt("a late parcel")) == "shipping"
    assert student.choices == 2


@pytest.mark.parametrize(("recipe", "passes"), [(SMALL, 10), (LARGE, 1000)])
def test_it_says_how_sure_it_is_and_is_surer_of_what_it_knows(recipe, passes):
    student = train(EXAMPLES, recipe=recipe, seed=1, passes=passes)
    (known, sure), (guessed, unsure) = (student.sure(prompt(text)) for text in ("my money back", "the weather"))
    assert (known, guessed) == (student.answer(prompt("my money back")), student.answer(prompt("the weather")))
    assert -0.7 < unsure < sure < 0
    alike = train([Example(prompt("x"), "same")] * 2, seed=1, passes=5)
    assert alike.sure(prompt("y")) == ("same", None)


def test_more_than_two_answers_are_learnt():
    more = [Example(prompt(text), "login") for text in ("password forgotten", "no password", "password reset")]
    student = train([*EXAMPLES, *more], seed=1, passes=20)
    asked = ["my password", "my parcel", "my money"]
    assert student.answers([prompt(text) for text in asked]) == ["login", "shipping", "refund"]


def test_what_all_prompts_share_is_cut_off():
    frame = Frame([example.prompt for example in EXAMPLES])
    assert (frame.head, frame.tail) == (HEAD, TAIL)
    given = [prompt("hello"), "another prompt"]
    assert [frame.strip(text) for text in given] == ["hello", "another prompt"]


def test_a_shared_beginning_is_not_cut_within_a_word():
    assert Frame(["Mail: parcel", "Mail: pardon"]).head == "Mail: "
    assert Frame(["user\nred", "user\nblue"]).head == "user\n"


def test_unique_answers_come_from_the_nearest_example():
    facts = {"capital of France": "Paris", "capital of Spain": "Madrid", "colour of grass": "green"}
    student = train([Example(f"Q: {question}", answer) for question, answer in facts.items()], seed=1, passes=5)
    assert student.answer("Q: what colour has grass") == "green"
    assert student.answer("Q: tell me the capital of Spain") == "Madrid"


def test_rare_answers_are_found_beside_common_ones():
    rare = [Example(prompt(f"spell out {word} {word}"), word) for word in ("alpha", "beta", "gamma", "delta")]
    student = train([*EXAMPLES, *rare], seed=1, passes=30)
    assert student.answer(prompt("spell out gamma")) == "gamma"
    assert student.answer(prompt("where is the parcel")) == "shipping"
    assert student.choices == 6


@pytest.mark.parametrize(
    "examples",
    [
        [Example("a b", "same"), Example("c d", "same"), Example("e", "same")],
        [Example("the prompt", "same"), Example("the prompt", "same"), Example("the prompt", "other")],
    ],
    ids=["one answer", "one prompt"],
)
def test_where_nothing_can_be_told_apart_the_commonest_answer_is_given(examples):
    assert train(examples, seed=1, passes=5).answer("anything") == "same"


def test_the_same_seed_trains_the_same_student():
    asked = [prompt(text) for text in ("money for a parcel", "late", "nothing known")]
    first, other = (train(EXAMPLES, seed=7, passes=2).answers(asked) for _ in range(2))
    assert first == other


def test_more_passes_fit_more():
    contradicting = [*EXAMPLES, Example(prompt("money parcel late courier charged"), "refund")]

    def scores(passes):
        student = train(contradicting, seed=1, passes=passes)
        return abs(student._weights[0]).sum()

    assert scores(30) > scores(1)


def test_an_input_without_a_known_word_is_answered_nonetheless():
    assert train(EXAMPLES, seed=1, passes=5).answer("") in TEXTS


def test_two_trainings_at_once_do_not_disturb_each_other():
    students = []
    threads = [threading.Thread(target=lambda: students.append(train(EXAMPLES, seed=1, passes=3))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {student.answer(prompt("my money")) for student in students} == {"refund"}
