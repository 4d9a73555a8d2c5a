"""Tell people, by SNS: a verdict, a gate that blocked, a distillation that failed.

In: what happened. Out: one publication with a text for e-mail and JSON for machines. SNS delivers at least
once; the id in the message tells repetitions apart.
"""

from __future__ import annotations

from typing import Any

import orjson

from distillations.distillation import Distillation
from distillations.verdict import Verdict
from foundation import aws
from foundation.settings import settings

_SUBJECT_LENGTH = 99
_MACHINES = ("sqs", "http", "https", "lambda")


def notify_verdict(verdict: Verdict) -> None:
    document = verdict.model_dump(mode="json")
    about = {"distillation_id": verdict.distillation_id, "verdict": document}
    _publish("verdict", verdict.id, verdict.sentence, _evidence(document), **about)


def notify_blocked(distillation: Distillation) -> None:
    reasons = (distillation.plan or {}).get("reasons", [])
    sentence = f"The distillation '{distillation.name}' is blocked before spending: {' '.join(reasons)}"
    advice = f"To go on all the same: POST /v1/distillations/{distillation.id}/approve"
    about = {"distillation_id": distillation.id, "verdict": None, "plan": distillation.plan}
    _publish("blocked", distillation.id, sentence, [advice], **about)


def notify_failed(distillation: Distillation) -> None:
    error = distillation.error or {}
    sentence = f"The distillation '{distillation.name}' failed: {error.get('message', 'no reason is recorded')}"
    about = {"distillation_id": distillation.id, "verdict": None, "error": error}
    _publish("failed", distillation.id, sentence, [], **about)


def _publish(
    kind: str,
    subject_id: str,
    sentence: str,
    lines: list[str],
    **more: Any,
) -> None:
    document = {"type": kind, "id": subject_id, "sentence": sentence, **more}
    machine = orjson.dumps(document).decode()
    text = "\n".join([sentence, "", *lines, "", f"distillation {more['distillation_id']}", f"message {subject_id}"])
    aws.sns().publish(
        TopicArn=settings().TOPIC_ARN,
        Subject=_subject(sentence),
        MessageStructure="json",
        Message=orjson.dumps({"default": text, **dict.fromkeys(_MACHINES, machine)}).decode(),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
    )


def _subject(sentence: str) -> str:
    """SNS refuses a subject with line breaks, control characters, other letters than ASCII, or too many of them."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in sentence).split())
    return f"Stillhouse: {line}".encode("ascii", "replace").decode()[:_SUBJECT_LENGTH].rstrip()


def _evidence(verdict: dict[str, Any]) -> list[str]:
    lines = []
    for role, score in verdict["scores"].items():
        low, high = score["interval"]
        ratio = verdict["cost_ratio"].get(role)
        cost = "no price" if ratio is None else f"{ratio:.3f} of the teacher's cost"
        lines.append(
            f"{role:<9} {score['model']}: {score['passed']}/{score['total']} = {score['score']:.1%} "
            f"({low:.1%} to {high:.1%}), {cost}"
        )
    lines.append(f"rows won {verdict['won']}, lost {verdict['lost']}, exact McNemar p = {verdict['p_value']:.4g}")
    needed = verdict["rows_needed"]["observed"]
    if verdict["outcome"] == "inconclusive" and needed:
        lines.append(f"At the observed gain, about {needed} rows would show it with 80% power.")
    return lines + [_judge(name, card) for name, card in verdict.get("judges", {}).items()]


def _judge(name: str, card: dict[str, Any] | None) -> str:
    if card is None or not card["n"]:
        return f"judge {name}: not calibrated"
    kappa = "" if card["kappa"] is None else f", kappa {card['kappa']:.2f}"
    changed = " (changed since)" if card["stale"] else ""
    return f"judge {name}: agrees with people on {card['agreement']:.0%} of {card['n']} rows{kappa}{changed}"
