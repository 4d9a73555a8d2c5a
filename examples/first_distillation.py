"""From traffic to a verdict, on the local stack.

`make local-up` starts the stack, `.venv/bin/python examples/first_distillation.py` runs this script, and
docs/tutorial/first-distillation.md explains it step by step. Every step is one function; `main` calls them in order.
"""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from openai import OpenAI

from stillhouse import capture

FOLDER = Path(__file__).resolve().parent
STACK = json.loads((FOLDER.parent / ".local" / "stack.json").read_text())
TEACHER, STUDENT, JUDGE = "lab-large", "lab-small", "lab-judge"

PROMPT = """You sort the support mail of an online shop. What decides is what the customer asks for now, \
not what else is mentioned.

The queues:
- account_privacy: newsletters, what is stored about them, closing the account
- billing_refund: money back, a refund that is missing
- business_inquiry: wholesale, press, working together
- charge_dispute: a payment or invoice that is wrong or unknown
- damaged_item: broken, wrong or incomplete goods, replacements
- login_access: signing in, passwords, codes
- order_change: cancel or change an order before it ships
- product_advice: questions about a product, sizes, care, stock
- return_exchange: send something back, labels, another size
- shipping_delay: where a parcel is, late delivery

Answer with the name of one queue and nothing else."""

type Mail = dict[str, str]
type Json = dict[str, Any]

stillhouse = OpenAI(base_url=STACK["api_url"], api_key=STACK["api_key"])


def main() -> None:
    # A name of its own for each run of this script, so that runs do not mix.
    tag = uuid.uuid4().hex[:8]
    mails = [json.loads(line) for line in (FOLDER / "support_mail.jsonl").read_text().splitlines()]
    earlier, recent = mails[:-150], mails[-150:]

    answer_and_capture(earlier, tag)
    completion_ids = answer_through_the_gateway(recent, tag)
    file_the_mails(completion_ids, recent, tag)
    eval_id = create_eval(tag)
    first = distil(eval_id, tag)
    show(follow(first))
    second = distil(eval_id, tag, hyperparameters={"n_epochs": 40}, seed=7)
    show(follow(second))


def messages(mail: Mail) -> list[Any]:
    return [{"role": "system", "content": PROMPT}, {"role": "user", "content": mail["mail"]}]


def answer_and_capture(mails: list[Mail], tag: str) -> None:
    """The application as it is, with its client wrapped: calls go straight to the provider, copies to Stillhouse."""
    provider = OpenAI(base_url=STACK["lab_url"], api_key="the lab takes any key")
    client = capture(provider, base_url=STACK["api_url"], api_key=STACK["api_key"], metadata={"app": tag})

    def answer(mail: Mail) -> None:
        client.chat.completions.create(model=TEACHER, messages=messages(mail), store=True, metadata={"part": "earlier"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(answer, mails))
    client.stillhouse.flush()  # type: ignore[attr-defined]
    print(f"{len(mails)} mails answered by {TEACHER} and captured beside the calls")


def answer_through_the_gateway(mails: list[Mail], tag: str) -> list[str]:
    """The other way in: the gateway passes the call on and keeps a copy where `store` is true."""
    gateway = OpenAI(base_url=STACK["gateway_url"], api_key=STACK["api_key"])

    def answer(mail: Mail) -> str:
        completion = gateway.chat.completions.create(
            model=TEACHER, messages=messages(mail), store=True, metadata={"app": tag, "part": "recent"}
        )
        return completion.id

    with ThreadPoolExecutor(8) as pool:
        completion_ids = list(pool.map(answer, mails))
    while len(stored(tag, "recent")) < len(mails):  # what is captured is listed a moment later
        time.sleep(0.5)
    print(f"{len(mails)} mails answered through the gateway")
    return completion_ids


def stored(tag: str, part: str) -> list[Any]:
    return list(stillhouse.chat.completions.list(metadata={"app": tag, "part": part}, limit=100))


def file_the_mails(completion_ids: list[str], mails: list[Mail], tag: str) -> None:
    """People file the mail, and the right answer arrives: as metadata of the completion."""

    def file(completion_id: str, mail: Mail) -> None:
        stillhouse.chat.completions.update(
            completion_id, metadata={"app": tag, "part": "recent", "queue": mail["queue"]}
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(file, completion_ids, mails))
    print("the right queue of each recent mail is known now")


def create_eval(tag: str) -> str:
    """What is asked of an answer: it is the right queue, to the letter and in the opinion of a judge."""
    made = stillhouse.evals.create(
        name=f"mail triage {tag}",
        data_source_config={"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True},
        testing_criteria=[
            {
                "type": "string_check",
                "name": "right queue",
                "input": "{{ sample.output_text }}",
                "reference": "{{ item.metadata.queue }}",
                "operation": "eq",
            },
            {
                "type": "label_model",
                "name": "judge",
                "model": JUDGE,
                "input": [
                    {"role": "system", "content": "Does the answer name the queue that a person chose?"},
                    {
                        "role": "user",
                        "content": "Reference: {{ item.metadata.queue }}\nAnswer: {{ sample.output_text }}",
                    },
                ],
                "labels": ["correct", "incorrect"],
                "passing_labels": ["correct"],
            },
        ],
    )
    return made.id


def distil(eval_id: str, tag: str, *, hyperparameters: Json | None = None, seed: int = 42) -> Json:
    """Start a distillation, with every field that one has."""
    return post(
        "/distillations",
        {
            "name": f"mail triage {tag}",
            "eval_id": eval_id,
            # The rows that all models are measured on; they are frozen now and never trained on.
            "test": {"type": "stored_completions", "metadata": {"app": tag, "part": "recent"}},
            # What the student learns from: these mails, as the teacher answered them.
            "train": {"type": "stored_completions", "metadata": {"app": tag, "part": "earlier"}},
            "teacher": TEACHER,
            "student": STUDENT,
            "trainer": "default",
            "hyperparameters": hyperparameters or {"n_epochs": 10},
            "gate": {
                "expected_gain": None,  # half of the teacher's lead
                "min_gain": 0.0,
                "useful_gain": 0.02,
                "margin": 0.02,
                "power": 0.8,
                "max_cost_usd": 5,
                "group_by": None,
            },
            "seed": seed,
            "metadata": {"app": tag},
        },
    )


def follow(distillation: Json) -> Json:
    """Wait until it has ended, or is blocked: then somebody has to look at the plan and approve."""
    status = None
    while distillation["status"] not in {"completed", "failed", "cancelled", "blocked"}:
        if distillation["status"] != status:
            status = distillation["status"]
            print(f"  {status}")
        time.sleep(0.5)
        distillation = get(f"/distillations/{distillation['id']}")
    return distillation


def show(distillation: Json) -> None:
    """The verdict, and where to look further."""
    print(f"{distillation['id']}: {distillation['status']}")
    print(f"  {STACK['pages_url']}/distillations/{distillation['id']}")
    verdict = distillation["verdict"]
    if verdict is None:
        print(f"  {distillation['error'] or distillation['plan']}")
        return
    for role, score in verdict["scores"].items():
        cost = verdict["cost_ratio"][role]
        cheaper = f"  {1 / cost:.0f} times cheaper" if cost and cost < 1 else ""
        print(f"  {role:9} {score['score']:6.1%}{cheaper}")
    print(f"  {verdict['outcome']}: {verdict['sentence']}")
    print(f"  prices: {verdict['prices_as_of']}")
    print(f"  earlier verdicts on these rows: {verdict['earlier_verdicts']}")


def post(path: str, body: Json) -> Json:
    return cast("Json", stillhouse.post(path, body=body, cast_to=object))


def get(path: str) -> Json:
    return cast("Json", stillhouse.get(path, cast_to=object))


if __name__ == "__main__":
    main()
