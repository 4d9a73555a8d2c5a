"""The graders that a form offers: a card each, with its fields explained, and judges of the usual questions.

A card's fields stand in a form as `g<number>.<field>`. In: such a form. Out: its cards, and the criterion that each
describes as POST /v1/evals takes it. A field that cannot be read is refused with the name that the API has for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

ANSWER = "{{ sample.output_text }}"
REFERENCE = "item.reference"
_LABELS = "correct, incorrect"
_PLACES = "{{ item.input }}, {{ item.reference }}, {{ item.metadata.… }} and {{ sample.output_text }} are filled in."


class CardField(NamedTuple):
    """A field of a card. `param` is the API's name of it within the criterion, where that is another."""

    name: str
    label: str
    about: str
    kind: Literal["line", "text", "number", "choice", "flag", "names", "json", "path", "model"] = "line"
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    required: bool = True
    param: str = ""


class Kind(NamedTuple):
    """A kind of grader: its type in the API, what it is good for, and its fields."""

    key: str
    title: str
    about: str
    type: str
    fields: Sequence[CardField]
    named: str
    """The name that a new card begins with."""


_READ = CardField(
    "input", "What is read", "A template. The answer's text, unless you want a part of it such as "
    "{{ sample.output_json.queue }}.", value=ANSWER,
)  # fmt: skip
_RIGHT = CardField(
    "reference", "Right answer", "Where it lies: item.reference, a tag such as item.metadata.queue, or a template.",
    kind="path", value=REFERENCE,
)  # fmt: skip
_FROM = CardField("pass_threshold", "Passes from", "A score from 0 to 1.", kind="number", value="0.8")
_ALL_EQUAL = _FROM._replace(value="1")
_JUDGE = CardField("model", "Judge", "The model that is asked, once for each row: that is paid.", kind="model")
_SHOWN = CardField("shown", "What the judge sees", _PLACES, kind="text", param="input")


def _judge(key: str, name: str, question: str, shown: str) -> Kind:
    fields = [
        _JUDGE,
        CardField("question", "Question", "What the judge is told to decide.", "text", question, param="input"),
        _SHOWN._replace(value=f"{shown}\n\nAnswer:\n{ANSWER}"),
        CardField("labels", "Labels", "What it may answer, separated by commas.", "names", _LABELS),
        CardField("passing_labels", "Labels that pass", "Those of them that are good.", "names", "correct"),
    ]
    return Kind(
        f"judge_{key}", f"Judge: {name}", "A model reads the answer and picks a label.", "label_model", fields, name
    )


_CONVERSATION = "Conversation:\n{{ item.input }}"
_KINDS = (
    Kind(
        "same_text", "Is the known answer, to the letter", "Compares two texts. No model is asked.", "string_check",
        [
            _RIGHT,
            CardField(
                "operation", "How they must agree", "", "choice", "eq",
                [("eq", "equal"), ("ne", "not equal"), ("like", "holds it"), ("ilike", "holds it, in any case")],
            ),
            _READ,
        ],
        "right answer",
    ),
    Kind(
        "similar", "Is like the known answer", "How alike two texts are, as a score from 0 to 1.", "text_similarity",
        [
            _RIGHT,
            CardField(
                "evaluation_metric", "Measured by", "fuzzy_match counts letters, bleu and rouge words in order; "
                "cosine asks an embedding model, which is paid.", "choice", "fuzzy_match",
                [(name, name) for name in ("fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_2", "rouge_l", "cosine")],
            ),
            _FROM,
            CardField("embedding_model", "Embedding model", "Only for cosine.", "model", required=False),
            _READ,
        ],
        "like the known answer",
    ),
    Kind(
        "pattern", "Matches a pattern", "A regular expression of RE2, such as ^[a-z_]+$.", "regex",
        [
            CardField("pattern", "Pattern", "", "line"),
            CardField(
                "match", "Passes if it matches", "", "choice", "search",
                [("search", "somewhere"), ("full", "the whole text"), ("none", "nowhere")],
            ),
            CardField("ignore_case", "Upper and lower case are the same", "", "flag", required=False),
            _READ,
        ],
        "has the form",
    ),
    Kind(
        "json_fields", "Has the fields of the known JSON", "The share of fields that are equal.", "json_match",
        [
            _RIGHT,
            CardField(
                "extra_fields", "Fields beyond the known ones", "", "choice", "count",
                [("count", "count against it"), ("ignore", "are ignored")],
            ),
            _ALL_EQUAL,
            _READ,
        ],
        "right fields",
    ),
    Kind(
        "json_form", "Is JSON of a schema", "Validates the answer.", "json_schema",
        [
            CardField("json_schema", "JSON Schema", "Draft 2020-12.", "json", '{"type": "object", "required": []}'),
            _READ,
        ],
        "valid JSON",
    ),
    Kind(
        "tool_calls", "Calls the right tools", "The share of calls that match.", "tool_call_match",
        [
            _RIGHT,
            CardField(
                "arguments", "Their arguments", "", "choice", "equal",
                [("equal", "are equal"), ("include", "include the known ones"), ("ignore", "do not count")],
            ),
            CardField("order", "Their order", "", "choice", "any", [("any", "any"), ("strict", "the same")]),
            _ALL_EQUAL,
        ],
        "right tools",
    ),
    Kind(
        "python", "Own Python", "def grade(sample, item) gives a number. It runs in a sandbox without a network.",
        "python",
        [
            CardField(
                "source", "Source", "", "text",
                'def grade(sample, item):\n    return 1.0 if sample["output_text"] else 0.0',
            ),
            _FROM._replace(value="0.5", about="What the function must give at least."),
        ],
        "own function",
    ),
    _judge(
        "answers", "Answers what was asked",
        "Does the answer do what the user asked for, completely and without contradicting the conversation?",
        _CONVERSATION,
    ),
    _judge(
        "same", "Means the same as the known answer",
        "Does the answer mean the same as the reference? Other words are no fault; another fact, or one left out, is.",
        "Reference:\n{{ item.reference }}",
    ),
    _judge(
        "faithful", "Says only what the conversation supports",
        "Is every statement of the answer supported by the conversation? One that is invented makes it incorrect.",
        _CONVERSATION,
    ),
    _judge(
        "addressed", "Is addressed to the right person",
        "Is the answer addressed to the person who wrote, by the right name and with nothing meant for somebody else?",
        _CONVERSATION,
    ),
    _judge(
        "tone", "Keeps the tone",
        "Is the answer polite, plain and calm, as the conversation's first message asks for?",
        _CONVERSATION,
    ),
    Kind(
        "score", "Judge: a score", "A model reasons in steps and gives a number.", "score_model",
        [
            _JUDGE,
            CardField(
                "question", "Question", "What the number says, and what earns much or little.", "text", param="input"
            ),
            _SHOWN._replace(value=f"{_CONVERSATION}\n\nAnswer:\n{ANSWER}"),
            CardField("low", "Lowest score", "", "number", "0", param="range"),
            CardField("high", "Highest score", "", "number", "10", param="range"),
            _FROM._replace(value="7", about="A score between the two."),
        ],
        "score of a judge",
    ),
    Kind(
        "json", "Any grader, as JSON", "A criterion as POST /v1/evals takes it: multi and swap among them.", "",
        [CardField("definition", "Criterion", "", "json", '{"type": "…"}', param="")],
        "",
    ),
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.key: kind for kind in _KINDS}
FIRST = "same_text"
MOST_CARDS = 20


class Card(NamedTuple):
    """A grader in a form: its kind, and the values of its fields and of `name`."""

    kind: Kind
    values: Mapping[str, str]


def new_card(key: str) -> Card:
    """A card with the values that its kind begins with."""
    kind = KINDS[key]
    return Card(kind, {"name": kind.named, **{field.name: field.value for field in kind.fields}})


def cards_of(form: Mapping[str, str]) -> list[Card]:
    """The cards of a form, in their order. What was left unchecked is absent from a form, and is empty."""
    cards = []
    for number in range(MOST_CARDS):
        kind = KINDS.get(form.get(f"g{number}.kind", ""))
        if kind is not None:
            names = ["name", *(field.name for field in kind.fields)]
            cards.append(Card(kind, {name: form.get(f"g{number}.{name}", "") for name in names}))
    return cards
