"""Judge cards computed through the API from stored verdicts, against counting and scikit-learn on the files themselves.

LLMBar and PandaLM hold verdicts that judges gave elsewhere: each row brings its own as a recorded grade. HaluEval holds
people's labels alone: there a rule without a model is held against them.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix

from tests.examples import of_the_soak
from tests.flow.system import System

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LLMBAR = DATA / "llmbar_judge" / "judgments.jsonl"
PANDALM = DATA / "pandalm_human_judge"
HALUEVAL = DATA / "halueval_general_human" / "general_data.json"
CONFIG = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not all(path.exists() for path in (LLMBAR, PANDALM, HALUEVAL)),
        reason="needs ../shared/data/llmbar_judge, pandalm_human_judge and halueval_general_human",
    ),
]


def eval_of(system: System, criterion: dict[str, Any]) -> str:
    body = {"data_source_config": CONFIG, "testing_criteria": [criterion]}
    return str(system.ok("POST", "/v1/evals", body)["id"])


def recorded(model: str, labels: list[str]) -> dict[str, Any]:
    """A judge of another place, known by its verdicts; the first answer is the one that should win."""
    definition = {"type": "label_model", "model": model, "labels": labels, "passing_labels": ["1"]}
    return {"type": "recorded", "name": "better", "definition": definition}


def grade(label: str | None, *, swapped: str | None = None) -> list[dict[str, Any]]:
    """A stored verdict as a recorded grade; none where the judge's answer could not be read."""
    if label is None:
        return []
    consistent = {} if swapped is None else {"position_consistent": label == swapped}
    sample = {"label": label, **consistent}
    return [{"name": "better", "passed": label == "1", "score": float(label == "1"), "sample": sample}]


def card_of(system: System, eval_id: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    source = {"type": "file_content", "content": rows}
    path = f"/v1/evals/{eval_id}/calibrations"
    made = system.ok("POST", path, {"criterion": "better", "source": source})
    system.settle()
    answer = system.ok("GET", f"{path}/{made['id']}")
    assert answer["status"] == "completed"
    assert answer["card"]["cost_usd"] == 0
    card: dict[str, Any] = answer["card"]
    return card


def same_as_counted(card: dict[str, Any], humans: list[str], judged: list[str], passing: str = "1") -> None:
    """The card's figures, from the two columns alone."""
    n = len(humans)
    assert card["n"] == n
    assert card["agreement"]["rate"] == pytest.approx(accuracy_score(humans, judged))
    assert card["kappa"] == pytest.approx(cohen_kappa_score(humans, judged))
    assert card["base_rate"]["rate"] == pytest.approx(humans.count(passing) / n)
    answer, times = Counter(humans).most_common(1)[0]
    assert card["constant_baseline"]["rate"] == pytest.approx(times / n)
    assert (card["constant_baseline"]["answer"] == answer) or humans.count(card["constant_baseline"]["answer"]) == times
    (true_fail, false_pass), (false_fail, true_pass) = confusion_matrix(
        [human == passing for human in humans], [verdict == passing for verdict in judged], labels=[False, True]
    ).tolist()
    assert (card["false_pass"]["count"], card["false_pass"]["of"]) == (false_pass, false_pass + true_fail)
    assert (card["false_fail"]["count"], card["false_fail"]["of"]) == (false_fail, false_fail + true_pass)
    low, high = card["kappa_interval"]
    assert low < card["kappa"] < high


# ------------------------------------------------------------------ LLMBar


def llmbar(judge: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in LLMBAR.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["judge"] == judge and line["strategy"] == "Vanilla"]


@pytest.mark.parametrize(
    ("judge", "agreement", "consistency"),
    # Counted once by somebody else, to two digits.
    [("GPT-4", 0.83, 0.93), ("PaLM2", None, None), *of_the_soak(("ChatGPT", 0.41, None), ("Falcon", 0.56, 0.42))],
)
def test_llmbar(system: System, judge: str, agreement: float | None, consistency: float | None) -> None:
    stored = llmbar(judge)
    assert len(stored) == 419
    rows = [
        {
            "item": {"subset": row["subset"], "idx": row["idx"]},
            "sample": {
                "output_text": row["raw"] or "",
                "grades": grade(row["verdict"], swapped=row["verdict_swapped_order"]),
            },
            "human": str(row["gold"]),
        }
        for row in stored
    ]
    card = card_of(system, eval_of(system, recorded(judge, ["1", "2"])), rows)

    read = [row for row in stored if row["verdict"] is not None]
    assert card["ungraded"] == len(stored) - len(read)
    same_as_counted(card, [str(row["gold"]) for row in read], [row["verdict"] for row in read])
    if agreement:
        assert card["agreement"]["rate"] == pytest.approx(agreement, abs=0.006)
    both = [row for row in read if row["verdict_swapped_order"] is not None]
    same = sum(row["verdict"] == row["verdict_swapped_order"] for row in both)
    assert (card["position_consistency"]["count"], card["position_consistency"]["of"]) == (same, len(both))
    if consistency:
        assert card["position_consistency"]["rate"] == pytest.approx(consistency, abs=0.006)


# ------------------------------------------------------------------ PandaLM


def pandalm(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((PANDALM / f"{name}.json").read_text(encoding="utf-8"))
    return rows


def as_label(verdict: Any) -> str:
    """One judge writes "1", "2" and "Tie", the other 1, 2 and 0, as people do."""
    return {"0": "tie", "Tie": "tie"}.get(str(verdict), str(verdict))


@pytest.mark.parametrize(
    ("judge", "file", "column", "agreement"),
    [
        ("gpt-3.5-turbo", "gpt-3.5-turbo-testset-v1", "gpt_result", 0.698),
        *of_the_soak(("pandalm-7b", "pandalm-7b-testset-v1", "pandalm_result", 0.668)),
    ],
)
def test_pandalm(system: System, judge: str, file: str, column: str, agreement: float) -> None:
    verdicts = {row["idx"]: as_label(row[column]) for row in pandalm(file)}
    people = {row["idx"]: [as_label(row[f"annotator{n}"]) for n in (1, 2, 3)] for row in pandalm("testset-v1")}
    rows = [
        {"item": {"idx": idx}, "sample": {"output_text": verdicts[idx], "grades": grade(verdicts[idx])}, "human": votes}
        for idx, votes in people.items()
    ]
    card = card_of(system, eval_of(system, recorded(judge, ["1", "2", "tie"])), rows)

    assert (card["rows"], card["undecided"], card["ungraded"]) == (999, 0, 0)
    majority = {idx: max(set(votes), key=votes.count) for idx, votes in people.items()}
    same_as_counted(card, [majority[idx] for idx in people], [verdicts[idx] for idx in people])
    assert card["agreement"]["rate"] == pytest.approx(agreement, abs=5e-4)
    assert card["confusion"] == [
        {"human": human, "judge": verdict, "rows": count}
        for (human, verdict), count in sorted(Counter((majority[idx], verdicts[idx]) for idx in people).items())
    ]
    pairs = [first == other for votes in people.values() for first, other in combinations(votes, 2)]
    assert card["human_agreement"]["rate"] == pytest.approx(sum(pairs) / len(pairs))
    assert card["human_agreement"]["of"] == 3 * 999


# ------------------------------------------------------------------ HaluEval

SHORT = {
    "type": "regex",
    "name": "short",
    "input": "{{ sample.output_text }}",
    "pattern": r"(?s)^.{0,400}$",
}
ALWAYS = {"type": "string_check", "name": "always", "input": "x", "reference": "x", "operation": "eq"}


def test_halueval(system: System) -> None:
    """Labels for the rows of a run, by number: a rule that passes everything, and one that passes short answers."""
    lines = [json.loads(line) for line in HALUEVAL.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 4507
    body = {"data_source_config": CONFIG, "testing_criteria": [ALWAYS, SHORT]}
    eval_id = system.ok("POST", "/v1/evals", body)["id"]
    rows = [{"item": {"id": line["ID"]}, "sample": {"output_text": line["chatgpt_response"]}} for line in lines]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
    run_id = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})["id"]
    system.settle()
    labels = [{"row": number, "human": line["hallucination"] == "no"} for number, line in enumerate(lines)]

    def card(criterion: str) -> dict[str, Any]:
        asked = {"criterion": criterion, "source": {"type": "run", "run_id": run_id, "labels": labels}}
        answer: dict[str, Any] = system.ok("POST", f"/v1/evals/{eval_id}/calibrations", asked)["card"]
        return answer

    honest = [line["hallucination"] == "no" for line in lines]
    always = card("always")
    assert always["agreement"]["rate"] == always["constant_baseline"]["rate"] == sum(honest) / 4507
    assert always["agreement"]["rate"] == pytest.approx(1 - 0.181, abs=5e-4)
    assert (always["kappa"], always["false_pass"]["rate"], always["false_fail"]["rate"]) == (0, 1, 0)
    assert always["false_pass"]["count"] == 815

    named = {True: "pass", False: "fail"}
    short = [len(line["chatgpt_response"]) <= 400 for line in lines]
    same_as_counted(card("short"), [named[row] for row in honest], [named[row] for row in short], passing="pass")
