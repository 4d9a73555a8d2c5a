"""Promptfoo's configs carried over: what each assert comes to, graded by the real graders; and into the real system."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest
import yaml
from typer.testing import CliRunner

from graders import NotGradable
from stillhouse import cli
from stillhouse.importing.evals.receiver import Receiver
from stillhouse.importing.evals.report import Report
from stillhouse.importing.promptfoo.carry import carry
from stillhouse.importing.promptfoo.config import read
from stillhouse.importing.promptfoo.suite import suites_of
from stillhouse.importing.stopped import Stopped
from tests.api.sdk import client_of
from tests.client.doubles import served
from tests.client.importing.served import Served
from tests.flow.system import KEY
from tests.graders.asking import Models, grade


@pytest.fixture
def written(tmp_path):
    """Writes a config, and files beside it; its path."""

    def at(config, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_text(textwrap.dedent(content), encoding="utf-8")
        path = tmp_path / "promptfooconfig.yaml"
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config), encoding="utf-8")
        return path

    return at


@pytest.fixture
def suites(written):
    """The evals of a config, and what did not come over."""

    def of(config, judge=None, **files):
        report = Report()
        config_ = read(written(config, **files))
        return suites_of(config_, report, judge=judge), [*config_.left, *report.left]

    return of


def graded(criterion, item, output, says="", embeddings=()):
    """Whether the criterion passes the output; a python grader runs right here."""
    sample = {"output_text": output, "choices": [{"finish_reason": "stop", "message": {"content": output}}]}
    if criterion["type"] == "python":
        space = {}
        exec(criterion["source"], space)  # noqa: S102 - sources of this test's own
        return space["grade"](sample, item) >= criterion["pass_threshold"]
    return grade(criterion, item, sample, Models(says, embeddings=embeddings)).passed


def one_test(assertion, **variables):
    return {"prompts": ["{{q}}"], "tests": [{"vars": {"q": "?", **variables}, "assert": [assertion]}]}


LEVEL = {"type": "object", "required": ["level"], "properties": {"level": {"type": "integer"}}}

# An assert, outputs that pass it and outputs that fail it, as Promptfoo's documentation and handlers have it.
EXACT = [
    ({"type": "equals", "value": "Paris"}, ["Paris"], ["paris", "Paris.", ""]),
    ({"type": "equals", "value": "{{city}}"}, ["Lyon"], ["{{city}}"]),
    ({"type": "equals", "value": 4}, ["4"], ["4.0", "four"]),
    ({"type": "equals", "value": 4.0}, ["4"], ["4.0"]),
    ({"type": "equals", "value": 1234567.5}, ["1234567.5"], ["1.23457e+06", "1.23457E+6"]),
    ({"type": "equals", "value": 0.00001}, ["0.00001"], ["1e-05"]),
    ({"type": "equals", "value": {"a": [1, {"b": None}]}}, ['{"a": [1.0, {"b": null}]}'], ['{"a": [1]}', "no", "{}"]),
    ({"type": "not-equals", "value": {"a": 1, "b": 2}}, ['{"a": 1}', "no"], ['{"b": 2, "a": 1}']),
    ({"type": "not-equals", "value": "Paris"}, ["Lyon"], ["Paris"]),
    ({"type": "contains", "value": "in {{city}}"}, ["We live in Lyon!"], ["in lyon"]),
    ({"type": "icontains", "value": "LYON"}, ["lyon"], ["Paris"]),
    ({"type": "not-contains", "value": "Lyon"}, ["lyon"], ["in Lyon"]),
    ({"type": "contains-all", "value": ["a", "{{city}}"]}, ["a Lyon"], ["Lyon", "b"]),
    ({"type": "contains-any", "value": ["Rome", "{{city}}"]}, ["Lyon", "Rome"], ["Paris"]),
    ({"type": "contains-any", "value": 'one, "two, three"'}, ["two, three", "one"], ["two", "three"]),
    (
        {"type": "contains-any", "value": ',"a ""b""" , c\nd,, "\\\\x, y" '},
        ['a "b"', "c\nd", "\\x, y"],
        ["c", "x, y", ""],
    ),
    ({"type": "icontains-any", "value": ["ROME"]}, ["rome"], ["Lyon"]),
    ({"type": "not-contains-any", "value": ["Rome", "Lyon"]}, ["Paris"], ["Rome", "Lyon"]),
    ({"type": "not-icontains-all", "value": ["rome", "lyon"]}, ["Rome", ""], ["Rome, Lyon"]),
    ({"type": "starts-with", "value": "Dear {{city}}"}, ["Dear Lyon,"], [" Dear Lyon", "O Dear Lyon"]),
    ({"type": "not-starts-with", "value": "Dear"}, ["O Dear"], ["Dear me"]),
    ({"type": "ends-with", "value": "!"}, ["Hi!"], ["Hi! "]),
    ({"type": "regex", "value": r"\d{4}-\d{2}"}, ["on 2026-11"], ["26-11"]),
    ({"type": "not-regex", "value": "^A"}, ["BA"], ["AB"]),
    ({"type": "is-json"}, ["{}", "[1]", '"x"'], ["{", "```{}```"]),
    ({"type": "is-json", "value": LEVEL}, ['{"level": 3}'], ['{"level": "high"}', "{}", "no"]),
    ({"type": "is-json", "value": json.dumps(LEVEL)}, ['{"level": 3}'], ["{}"]),
    ({"type": "not-is-json", "value": LEVEL}, ["no", "{}"], ['{"level": 3}']),
    ({"type": "levenshtein", "value": "kitten", "threshold": 3}, ["sitting", "kitten"], ["sittings", ""]),
    ({"type": "levenshtein", "value": "{{city}}"}, ["Lyons", "anything"[:5]], ["Constantinople"]),
    ({"type": "finish-reason", "value": "stop"}, ["x"], []),
    ({"type": "not-finish-reason", "value": "length"}, ["x"], []),
    ({"type": "rouge-n", "value": "the cat sat", "threshold": 0.9}, ["the cat sat"], ["a dog"]),
    ({"type": "python", "value": "output[5:10] == 'Hello'"}, ["12345Hello"], ["Hello"]),
    ({"type": "python", "value": "len(output) / 10", "threshold": 0.5}, ["12345"], ["1234"]),
    ({"type": "python", "value": "len(output) - 3"}, ["1234"], ["123", "1"]),
    ({"type": "python", "value": "context['vars']['city'] in output"}, ["Lyon"], ["Rome"]),
    ({"type": "python", "value": "context['config']['n'] == len(output)", "config": {"n": 2}}, ["ab"], ["abc"]),
    ({"type": "not-python", "value": "'error' in output"}, ["fine"], ["an error"]),
    (
        {
            "type": "python",
            "value": "if output == 'x':\n    return {'pass': True, 'score': 0.5}\nreturn {'pass': False}\n",
        },
        ["x"],
        ["y"],
    ),
    (
        {
            "type": "assert-set",
            "threshold": 0.5,
            "assert": [{"type": "equals", "value": "a"}, {"type": "regex", "value": "b"}],
        },
        ["a", "b"],
        ["c"],
    ),
    (
        {
            "type": "assert-set",
            "threshold": 0.7,
            "assert": [{"type": "contains", "value": "a", "weight": 3}, {"type": "not-contains", "value": "b"}],
        },
        ["a", "ab"],
        ["x", "b"],
    ),
    (
        {
            "type": "assert-set",
            "threshold": 1,
            "assert": [{"type": "contains", "value": sign, "weight": 1 / 3} for sign in "abc"],
        },
        ["abc"],
        ["ab"],
    ),
]


@pytest.mark.parametrize(("assertion", "passing", "failing"), EXACT, ids=[str(case[0]["type"]) for case in EXACT])
def test_an_assert_decides_as_promptfoo_does(suites, assertion, passing, failing):
    (suite,), left = suites(one_test(assertion, city="Lyon"))
    assert left == []
    (criterion,), (item,) = suite.criteria, suite.items
    assert [graded(criterion, item, output) for output in passing] == [True] * len(passing)
    assert [graded(criterion, item, output) for output in failing] == [False] * len(failing)


def test_a_set_without_a_threshold_is_its_asserts(suites):
    parts = [{"type": "contains", "value": "a"}, {"type": "contains", "value": "b"}]
    (suite,), _ = suites(one_test({"type": "assert-set", "assert": parts}))
    assert [(criterion["name"], criterion["reference"]) for criterion in suite.criteria] == [
        ("contains", "a"),
        ("contains 2", "b"),
    ]


def test_in_a_test_with_a_threshold_a_set_counts_as_the_mean_of_its_own_by_its_weight(suites):
    parts = [{"type": "contains", "value": "a"}, {"type": "contains", "value": "b"}]
    config = one_test({"type": "assert-set", "assert": parts, "weight": 3})
    config["tests"][0] |= {"threshold": 0.7}
    config["tests"][0]["assert"].append({"type": "contains", "value": "c"})
    (suite,), left = suites(config)
    assert left == []
    (criterion,) = suite.criteria
    # (3 * 1 + 0) / 4 = 0.75; (3 * 0.5 + 1) / 4 = 0.625. Three asserts alike would give 2 / 3 to both.
    outputs = {"ab": True, "ac": False, "c": False}
    assert {output: graded(criterion, suite.items[0], output) for output in outputs} == outputs


def test_a_list_in_a_file_is_read_before_it_is_split(suites):
    (suite,), left = suites(one_test({"type": "contains-any", "value": "file://w.txt"}), w__txt='one, "two, three"\n')
    assert left == []
    passes = [graded(suite.criteria[0], suite.items[0], output) for output in ("two, three", "one", "two", "w.txt")]
    assert passes == [True, True, False, False]


@pytest.mark.parametrize(
    ("schema", "noted"),
    [
        ({"properties": {"at": {"type": "string", "format": "date"}}}, True),
        ({"items": [{"anyOf": [{"format": "email"}]}]}, True),
        ({"properties": {"format": {"type": "string"}}}, False),
    ],
)
def test_a_format_that_is_not_checked_here_is_noted(written, schema, noted):
    report = Report()
    suites_of(read(written(one_test({"type": "is-json", "value": schema}))), report, judge=None)
    assert list(report.notes) == (["is-json: the `format` of its schema is not checked here"] if noted else [])


def test_settings_of_a_judge_that_are_not_carried_are_noted(written):
    report, judge = Report(), {"id": "openai:gpt-4o", "config": {"temperature": 0}}
    suites_of(read(written(one_test({"type": "llm-rubric", "value": "x", "provider": judge}))), report, judge=None)
    assert list(report.notes) == ["llm-rubric: its judge came without its config"]


def test_a_tests_threshold_is_over_the_mean_of_its_scores_by_weight(suites):
    embedded = [[1.0, 0.0], [0.6, 0.8]]
    config = one_test({"type": "similar", "value": "x", "threshold": 0.9, "weight": 2})
    config["tests"][0] |= {"threshold": 0.7}
    config["tests"][0]["assert"].append({"type": "equals", "value": "yes"})
    (suite,), left = suites(config)
    assert left == []
    (criterion,) = suite.criteria
    # (2 * 0.6 + 1) / 3 = 0.733; (2 * 0.6 + 0) / 3 = 0.4
    assert graded(criterion, suite.items[0], "yes", embeddings=embedded)
    assert not graded(criterion, suite.items[0], "no", embeddings=embedded)


@pytest.mark.parametrize(
    ("assertion", "passes"),
    [
        ({"type": "similar", "value": "x", "threshold": 0.6}, True),
        ({"type": "similar", "value": "x"}, False),
        ({"type": "not-similar", "value": "x"}, True),
        ({"type": "not-similar", "value": "x", "threshold": 0.6}, False),
    ],
)
def test_similar_passes_at_its_threshold(suites, assertion, passes):
    (suite,), _ = suites(one_test({**assertion, "provider": "openai:embedding:text-embedding-3-small"}))
    (criterion,) = suite.criteria
    inner = criterion["graders"]["g0"] if criterion["type"] == "multi" else criterion
    assert inner["embedding_model"] == "text-embedding-3-small"
    assert graded(criterion, suite.items[0], "y", embeddings=[[1.0, 0.0], [0.6, 0.8]]) is passes


def test_a_rubric_is_judged_by_its_own_judge_the_tests_or_the_commands(suites):
    rubric = {"type": "llm-rubric", "value": "Answers {{q}} politely"}
    (suite,), _ = suites(one_test({**rubric, "provider": "openai:chat:gpt-4o"}), judge="other")
    (criterion,) = suite.criteria
    assert (criterion["type"], criterion["model"]) == ("label_model", "gpt-4o")
    asked = Models('{"label": "fail"}')
    result = grade(criterion, {"q": "Why?"}, {"output_text": "Because."}, asked)
    assert not result.passed
    text = "\n".join(str(message["content"]) for message in asked.asked[0]["messages"])
    assert "Because." in text
    assert "Why?" in text
    config = one_test({**rubric, "threshold": 0.8})
    config["defaultTest"] = {"options": {"provider": {"text": "groq:llama-3"}}}
    (suite,), _ = suites(config)
    assert (suite.criteria[0]["type"], suite.criteria[0]["model"]) == ("score_model", "groq/llama-3")
    assert suite.criteria[0]["pass_threshold"] == 0.8
    (suite,), _ = suites(one_test(rubric), judge="lab-judge")
    assert suite.criteria[0]["model"] == "lab-judge"
    nothing, left = suites(one_test(rubric))
    assert nothing == []
    assert left == [("test 1, llm-rubric", "it names no judge: give one with --judge")]


def test_factuality_fails_what_disagrees_and_shows_the_judge_the_task(suites):
    fact = {"type": "factuality", "value": "Sacramento", "provider": "openai:gpt-4o"}
    (suite,), _ = suites({**one_test(fact), "prompts": ["Capital of {{q}}?"]})
    (criterion,) = suite.criteria
    assert criterion["passing_labels"] == ["subset", "superset", "equivalent", "differ_but_factual"]
    asked = Models('{"label": "superset"}')
    assert grade(criterion, {"q": "California"}, {"output_text": "It is."}, asked).passed
    text = str(asked.asked[0]["messages"])
    assert "Capital of" in text
    assert "California" in text


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        ({"type": "javascript", "value": "output.length < 5"}, "no such criterion"),
        ({"type": "latency", "threshold": 5}, "no such criterion"),
        ({"type": "contains-json"}, "no such criterion"),
        ({"type": "similar:dot", "value": "x"}, "no such criterion"),
        ({"type": "contains", "value": "a", "weight": 0}, "weight 0"),
        ({"type": "contains", "value": "a", "transform": "output.trim()"}, "transformed by a script"),
        ({"type": "contains", "value": "a", "metricOnly": True}, "metricOnly"),
        ({"type": "contains", "value": "a", "unheard": "x"}, "unheard"),
        ({"type": "contains", "value": "a", "config": {"x": 1}}, "config"),
        ({"type": "equals", "value": "a", "normalizeUnicode": True}, "normalizeUnicode"),
        ({"type": "contains-any", "value": 'a, "b'}, "quotes that do not close"),
        ({"type": "contains-any", "value": " , "}, "a list of nothing"),
        ({"type": "contains-any", "value": "{{q}}"}, "a list in a text with variables"),
        ({"type": "contains-all", "value": "a, {{q}}"}, "a list in a text with variables"),
        ({"type": "contains", "value": "{{ q | upper }}"}, "q | upper"),
        ({"type": "contains", "value": "{% if q %}a{% endif %}"}, "blocks"),
        ({"type": "contains", "value": "{{ env.SECRET }}"}, "env.SECRET"),
        ({"type": "contains", "value": "{{ env['SECRET'] }}"}, "env"),
        ({"type": "contains", "value": "file://gone.txt"}, "gone.txt is not there"),
        ({"type": "equals", "value": "file://made.js"}, "made.js is not there"),
        ({"type": "regex", "value": "^{{q}}$"}, "a pattern with variables"),
        ({"type": "python", "value": "'{{q}}' in output"}, "variables of the template"),
        ({"type": "llm-rubric", "value": "x", "provider": "file://judge.py"}, "no chat model"),
        ({"type": "contains"}, "a value that is no text"),
        ({"type": "contains-all", "value": [{}]}, "a value that is no text"),
        ({"type": "assert-set", "threshold": 1, "assert": [{"type": "latency"}]}, "not whole"),
        ({"type": "assert-set", "metricOnly": True, "assert": [{"type": "is-json"}]}, "metricOnly"),
        ("contains: a", "documented shape"),
    ],
)
def test_what_has_no_counterpart_is_named_and_the_rest_comes(suites, assertion, why):
    config = one_test(assertion)
    config["tests"][0]["assert"].append({"type": "contains", "value": "kept"})
    (suite,), left = suites(config)
    assert [criterion["name"] for criterion in suite.criteria] == ["contains"]
    kind = assertion["type"] if isinstance(assertion, dict) else "assert"
    assert left[-1][0] == f"test 1, {kind}"
    assert why in left[-1][1]


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({"transform": "output.trim()"}, "contains", "transformed by a script"),
        ({"postprocess": "output.trim()"}, "contains", "transformed by a script"),
        ({"factuality": {"subset": 0}}, "factuality", "options.factuality"),
    ],
)
def test_options_that_change_a_verdict_leave_the_assert_out(suites, options, kind, why):
    config = one_test({"type": kind, "value": "a", **({"provider": "openai:gpt-4o"} if kind == "factuality" else {})})
    config["tests"][0]["options"] = options
    made, left = suites(config)
    assert made == []
    assert left[0][0] == f"test 1, {kind}"
    assert why in left[0][1]


def test_options_and_keys_of_a_test_that_are_not_carried_are_named(written):
    config = one_test({"type": "contains", "value": "a", "metricOnly": False})
    options = {"temperature": 0.1, "factuality": {"subset": 0}, "runSerially": True, "disableConversationVar": True}
    config["tests"][0] |= {"options": options, "unheard": 1}
    config["defaultTest"] = {"options": {"response_format": {"type": "json_object"}}}
    config_ = read(written(config))
    why = "a run takes all rows of its eval, and all alike"
    named = ["options.response_format", "options.temperature", "unheard"]
    assert config_.changed == [("tests", f"without their {name}: {why}") for name in named]


def test_a_threshold_over_asserts_that_are_not_whole_is_not_kept(suites):
    config = one_test({"type": "latency", "threshold": 5})
    config["tests"][0] |= {"threshold": 0.5}
    config["tests"][0]["assert"].append({"type": "contains", "value": "kept"})
    made, left = suites(config)
    assert made == []
    assert "its threshold" in left[-1][1]


# ---------------------------------------------------------------- tests, rows, evals


def test_values_that_differ_stand_in_the_rows_and_shared_ones_in_the_criterion(suites):
    tests = [
        {"vars": {"q": "France"}, "assert": [{"type": "contains", "value": "Paris"}]},
        {"vars": {"q": "Italy"}, "assert": [{"type": "contains", "value": "{{q}}: Rome"}], "metadata": {"easy": "yes"}},
    ]
    shared = {"type": "icontains", "value": "capital of {{q}}"}
    (suite,), left = suites({"prompts": ["{{q}} {{tone}}"], "tests": tests, "defaultTest": {"assert": [shared]}})
    assert left == []
    assert [criterion["reference"] for criterion in suite.criteria] == [
        "capital of {{ item.q }}",
        "{{ item.assert_values[0] }}",
    ]
    assert suite.items == [
        {"q": "France", "tone": "", "assert_values": ["Paris"]},
        {"q": "Italy", "tone": "", "assert_values": ["Italy: Rome"], "metadata": {"easy": "yes"}},
    ]
    assert suite.schema["required"] == ["assert_values", "q", "tone"]


def test_tests_held_to_other_asserts_are_evals_of_their_own(suites):
    tests = [
        {"vars": {"q": "1"}, "assert": [{"type": "contains", "value": "a"}]},
        {"vars": {"q": "2"}, "assert": [{"type": "is-json"}]},
        {"vars": {"q": "3"}, "assert": [{"type": "contains", "value": "b"}]},
        {"vars": {"q": "4"}, "assert": [{"type": "regex", "value": "x"}]},
        {"vars": {"q": "5"}, "assert": [{"type": "regex", "value": "y"}]},
        {"vars": {"q": "6"}},
    ]
    made, left = suites({"prompts": ["{{q}}"], "tests": tests})
    assert [[item["q"] for item in suite.items] for suite in made] == [["1", "3"], ["2"], ["4"], ["5"]]
    assert left == [("test 6", "it has no asserts")]


def test_asserts_of_other_names_are_criteria_of_their_own(suites):
    tests = [
        {"vars": {"q": name}, "assert": [{"type": "equals", "value": "x", "metric": name}]}
        for name in ("Tone", "Accuracy", "Tone")
    ]
    made, left = suites({"prompts": ["{{q}}"], "tests": tests})
    assert left == []
    named = [
        ([criterion["name"] for criterion in suite.criteria], [item["q"] for item in suite.items]) for suite in made
    ]
    assert named == [(["Tone"], ["Tone", "Tone"]), (["Accuracy"], ["Accuracy"])]


def test_a_variable_that_is_null_is_empty(suites):
    config = one_test({"type": "equals", "value": "<{{none}}>"}, none=None, uses="{{none}}!")
    (suite,), _ = suites(config)
    assert (suite.items[0]["none"], suite.items[0]["uses"]) == ("", "!")
    assert graded(suite.criteria[0], suite.items[0], "<>")


def test_defaults_lists_files_and_references_make_the_tests(suites):
    config = """
        prompts: ['{{q}}']
        assertionTemplates: {polite: {type: icontains, value: please}}
        defaultTest:
          vars: {tone: kind, style: file://style.txt}
          assert: [{$ref: '#/assertionTemplates/polite'}]
        tests:
          - vars: {q: [a, b], n: [1, 2]}
          - vars: {q: [x, y]}
            options: {disableVarExpansion: true}
          - file://more.yaml
          - file://rows.jsonl
    """
    files = {
        "style__txt": "short",
        "more__yaml": "- vars: {q: from yaml, style: '{{tone}} enough'}\n",
        "rows__jsonl": '{"vars": {"q": "from jsonl"}}\n',
    }
    (suite,), left = suites(textwrap.dedent(config), **files)
    assert left == []
    assert [(item["q"], item.get("n")) for item in suite.items] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("b", 2),
        (["x", "y"], None),
        ("from yaml", None),
        ("from jsonl", None),
    ]
    assert [item["style"] for item in suite.items[-2:]] == ["kind enough", "short"]
    assert suite.criteria == [
        {
            "name": "icontains",
            "type": "string_check",
            "operation": "ilike",
            "input": "{{ sample.output_text }}",
            "reference": "please",
        }
    ]


def test_a_table_of_tests(suites):
    table = """\
        q,__expected1,__expected2,__metadata:level,__description
        1+1,equals: 2,contains:2,easy,sum
        2+2,4,contains:four,hard,
        json,is-json,"note: this, too",easy,
    """
    made, left = suites({"prompts": ["{{q}}"], "tests": "file://t.csv"}, t__csv=table)
    assert left == []
    first, second = made
    assert [item["assert_values"] for item in first.items] == [["2", "2"], ["4", "four"]]
    assert [item["metadata"] for item in first.items] == [{"level": "easy"}, {"level": "hard"}]
    assert [criterion["type"] for criterion in second.criteria] == ["json_schema", "string_check"]
    assert second.criteria[1]["reference"] == "note: this, too"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("file://gone.yaml", "gone.yaml is not there"),
        ("file://made.py", "a file of kind .py"),
        ("huggingface://datasets/x", "tests from elsewhere"),
        ({"path": "file://made.py:create"}, "tests that a program makes"),
        ({"vars": {"q": "1"}, "options": {"prefix": "Hi "}}, "options.prefix"),
        ({"vars": 5}, "documented shape"),
    ],
)
def test_tests_that_cannot_be_read_are_named(suites, entry, why):
    good = {"vars": {"q": "1"}, "assert": [{"type": "is-json"}]}
    (suite,), left = suites({"prompts": ["{{q}}"], "tests": [good, entry]}, made__py="raise SystemExit")
    assert len(suite.items) == 1
    assert why in left[0][1]


def test_prompts_of_every_kind(written):
    image = {"type": "image_url", "image_url": {"url": "{{pic}}"}}
    chat = [
        {"role": "system", "content": "Be {{tone}}"},
        {"role": "user", "content": [{"type": "text", "text": "{{ q.text }}"}, image]},
    ]
    prompts = [
        "Say {{ q }} and {{ list[0]['the name'] }}",
        {"raw": "{{q | upper}}", "label": "loud"},
        {"id": "file://chat.json", "label": "chat"},
        "two.txt",
        "exec:./x.sh",
        "file://made.py",
        "{{- q }}",
    ]
    tests = [{"vars": {"q": "1"}, "assert": [{"type": "is-json"}]}]
    path = written(
        {"prompts": prompts, "tests": tests}, chat__json=json.dumps(chat), two__txt="One {{q}}\n---\nTwo", made__py="x"
    )
    config = read(path)
    assert [(prompt.label, prompt.messages[0]["content"]) for prompt in config.prompts] == [
        ("prompt 1", "Say {{ item.q }} and {{ item.list[0].the name }}"),
        ("chat", "Be {{ item.tone }}"),
        ("prompt 4 1", "One {{ item.q }}"),
        ("prompt 4 2", "Two"),
    ]
    assert config.prompts[1].messages[1]["content"] == [
        {"type": "input_text", "text": "{{ item.q.text }}"},
        {"type": "input_image", "image_url": "{{ item.pic }}"},
    ]
    assert config.prompts[1].variables == {"tone", "q", "pic"}
    assert [name for name, _ in config.left] == ["prompt 2", "prompt 5", "prompt 6", "prompt 7"]


def test_providers_of_every_kind(written):
    settings = {"temperature": 0.2, "max_tokens": 50, "apiKey": "sk-secret", "apiHost": "x"}
    providers = [
        "openai:gpt-4o",
        {"id": "openai:chat:ft:gpt-4o:x", "label": "tuned", "config": settings, "prompts": ["chat"]},
        {"anthropic:messages:claude-sonnet-4-6": {"config": {"temperature": 0}}},
        "openrouter:meta/llama-3:free",
        "openai:embedding:ada",
        "file://provider.py",
        "https://example.com/chat",
        "exec:./chain.sh",
        {"label": "nameless"},
        {"id": "openai:gpt-5", "transform": "output.trim()"},
        {"id": "openai:gpt-5", "delay": 100, "inputs": {"x": "y"}, "prompts": "prompt 1"},
    ]
    tests = [{"vars": {"q": "1"}, "assert": [{"type": "is-json"}]}]
    config = read(written({"prompts": ["{{q}}"], "providers": providers, "tests": tests, "scenarios": []}))
    assert [(provider.label, provider.model) for provider in config.providers] == [
        ("openai:gpt-4o", "gpt-4o"),
        ("tuned", "ft:gpt-4o:x"),
        ("anthropic:messages:claude-sonnet-4-6", "anthropic/claude-sonnet-4-6"),
        ("openrouter:meta/llama-3:free", "openrouter/meta/llama-3:free"),
        ("openai:gpt-5", "gpt-5"),
    ]
    assert config.providers[1].parameters == {"temperature": 0.2, "max_completion_tokens": 50}
    assert [provider.prompts for provider in config.providers] == [None, ["chat"], None, None, ["prompt 1"]]
    assert config.changed == [
        ("provider tuned", "without its apiHost, apiKey"),
        ("provider openai:gpt-5", "without its inputs"),
    ]
    assert [name for name, _ in config.left] == ["scenarios", *["provider"] * 6, "provider tuned"]
    assert "transformed by a script" in config.left[6][1]


def test_a_providers_prompts_that_are_none_here_are_named(written):
    config = {
        "prompts": [{"id": "file://two.txt", "label": "p"}, {"raw": "{{q}}", "label": "other"}],
        "providers": [
            {"id": "openai:gpt-4o", "label": "some", "prompts": ["p", "other"]},
            {"id": "openai:gpt-4o", "label": "halves", "prompts": ["p 1", "p 2"]},
        ],
        "tests": [{"vars": {"q": "1"}, "assert": [{"type": "is-json"}]}],
    }
    config_ = read(written(config, two__txt="One {{q}}\n---\nTwo"))
    assert [prompt.label for prompt in config_.prompts] == ["p 1", "p 2", "other"]
    assert config_.left == [("provider some", "no prompt is called p; there are p 1, p 2, other")]


def test_what_a_prompt_has_more_is_named(written):
    config = one_test({"type": "is-json"})
    config["prompts"] = [
        {"raw": "{{q}}", "label": "p", "config": {"temperature": 1}, "function": "x"},
        {"raw": "{{q}}"},
    ]
    assert read(written(config)).changed == [("prompt p", "without its config, function")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [1", "no YAML"),
        ("- 1", "no config of Promptfoo"),
        ("prompts: [x]", "no tests that can be read"),
        ("prompts: [x]\ntests: file://gone.csv", "gone.csv is not there"),
    ],
)
def test_what_is_no_config_is_said(written, text, why):
    with pytest.raises(Stopped, match=why):
        read(written(text))


def test_without_pyyaml_it_is_said_what_to_install(written, monkeypatch):
    path = written(one_test({"type": "is-json"}))
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Stopped, match=r"pip install 'stillhouse\[promptfoo\]'"):
        read(path)


# ---------------------------------------------------------------- into the system

LABELS = {
    "description": "Mails",
    "tags": {"team": "mail"},
    "providers": [{"id": "openai:lab-small", "label": "small", "config": {"temperature": 0}}, "openai:gpt-nowhere"],
    "prompts": ['Answer with one of: ["billing", "login"]. {{mail}}'],
    "defaultTest": {"assert": [{"type": "regex", "value": "^(billing|login)$"}]},
    "tests": [
        {"vars": {"mail": "I was charged twice for my invoice"}, "assert": [{"type": "equals", "value": "billing"}]},
        {"vars": {"mail": "I cannot sign in"}, "assert": [{"type": "equals", "value": "login"}]},
        {"vars": {"mail": "Hello"}, "assert": [{"type": "regex", "value": "(?=look-ahead)"}]},
    ],
}


def carried(system, path, **options):
    return carry(path, Receiver(client_of(system)), **{"judge": None, "run": False, **options})


def evals(system):
    return system.ok("GET", "/v1/evals?limit=100")["data"]


def runs(system, eval_):
    return system.ok("GET", f"/v1/evals/{eval_['id']}/runs?limit=100")["data"]


def test_a_config_becomes_evals_and_starts_nothing_by_itself(system, written):
    report = carried(system, written(LABELS))
    first, second = evals(system)
    assert [first["name"], second["name"]] == ["Mails (1 of 2)", "Mails (2 of 2)"]
    assert first["metadata"]["team"] == "mail"
    assert [criterion["type"] for criterion in first["testing_criteria"]] == ["regex", "string_check"]
    assert [criterion["type"] for criterion in second["testing_criteria"]] == ["regex"]
    assert runs(system, first) == []
    ((name, why),) = report.left
    assert name == "eval “Mails (2 of 2)”, regex 2"
    assert "RE2" in why
    assert sum("not started: small, prompt 1" in line for line in report.summary().splitlines()) == 2


def test_its_runs_sample_and_grade_its_rows(system, written):
    report = carried(system, written(LABELS), run=True)
    system.settle()
    first, second = evals(system)
    (run,) = runs(system, first)
    assert (run["name"], run["model"], run["status"]) == ("small, prompt 1", "lab-small", "completed")
    assert run["result_counts"]["total"] == 2
    assert run["result_counts"]["errored"] == 0
    items = system.ok("GET", f"/v1/evals/{first['id']}/runs/{run['id']}/output_items")["data"]
    for item in items:
        text = item["sample"]["output"][0]["content"]
        wanted = {"I was charged twice for my invoice": "billing", "I cannot sign in": "login"}
        assert item["results"][1]["passed"] is (text == wanted[item["datasource_item"]["mail"]])
    assert len(runs(system, second)) == 1
    assert (report.evals, report.runs, report.rows) == (2, 2, 3)
    assert [name for name, _ in report.left].count("run openai:gpt-nowhere, prompt 1") == 2


def test_twice_gives_one_and_a_changed_test_only_new_rows(system, written):
    carried(system, written(LABELS), run=True)
    before = evals(system), [runs(system, eval_) for eval_ in evals(system)], system.ok("GET", "/v1/files")["data"]
    report = carried(system, written(LABELS), run=True)
    assert (
        evals(system),
        [runs(system, eval_) for eval_ in evals(system)],
        system.ok("GET", "/v1/files")["data"],
    ) == before
    assert (report.evals, report.runs, report.rows, report.evals_known, report.runs_known) == (0, 0, 0, 2, 2)
    tests = [{**LABELS["tests"][0], "vars": {"mail": "My card was charged"}}, *LABELS["tests"][1:]]
    report = carried(system, written({**LABELS, "tests": tests}))
    assert (report.evals, report.evals_known, report.rows) == (0, 2, 2)


def test_python_asserts_run_in_the_sandbox(system, written):
    code = {"type": "python", "value": "context['vars']['mail'].startswith('I') and len(output) > 2"}
    near = {"type": "levenshtein", "value": "billin", "threshold": 1}
    config = {**LABELS, "defaultTest": {}, "tests": [{"vars": {"mail": "I was charged"}, "assert": [code, near]}]}
    carried(system, written(config), run=True)
    system.settle()
    (eval_,) = evals(system)
    (run,) = runs(system, eval_)
    (item,) = system.ok("GET", f"/v1/evals/{eval_['id']}/runs/{run['id']}/output_items")["data"]
    text = item["sample"]["output"][0]["content"]
    assert not item["errored"]
    assert [result["passed"] for result in item["results"]] == [len(text) > 2, text == "billing"]


def test_the_command(system, written, monkeypatch):
    monkeypatch.setenv("STILLHOUSE_API_KEY", KEY)
    with served(Served(system)) as here:
        result = CliRunner().invoke(cli.app, ["import", "promptfoo", str(written(LABELS)), "--to", here])
        assert result.exit_code == 0
        assert result.stdout.splitlines()[0] == "imported 2 evals, 0 runs, 3 rows"
        strict = CliRunner().invoke(
            cli.app, ["import", "promptfoo", str(written(LABELS)), "--to", here, "--strict", "--run"]
        )
        assert strict.exit_code == 1, strict.stdout
        assert "gpt-nowhere" in strict.stdout
        gone = CliRunner().invoke(cli.app, ["import", "promptfoo", "gone.yaml", "--to", here])
        assert gone.exit_code == 1
        assert gone.stderr.startswith("error: ")


def test_a_file_of_python_is_carried_with_its_function(suites):
    code = """
        import re

        def get_assert(output, context):
            return bool(re.match(context["config"]["p"], output))

        def other(output, context):
            return 0.4
    """
    config = one_test({"type": "python", "value": "file://check.py", "config": {"p": "ab"}})
    config["tests"][0]["assert"].append({"type": "python", "value": "file://check.py:other", "threshold": 0.5})
    (suite,), left = suites(config, check__py=code)
    assert left == []
    first, second = suite.criteria
    assert [graded(first, suite.items[0], output) for output in ("abc", "xab")] == [True, False]
    assert not graded(second, suite.items[0], "abc")


def test_a_python_assert_that_says_nothing_is_an_error_and_no_verdict(suites):
    (suite,), _ = suites(one_test({"type": "python", "value": "None"}))
    with pytest.raises((TypeError, NotGradable)):
        graded(suite.criteria[0], suite.items[0], "x")
