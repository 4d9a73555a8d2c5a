"""Actors that bring completions in and change them: pushes, the gateway, deletions, tags, retention policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote

from tests.cloud import aws_client
from tests.flow import loop
from tests.flow.mixed import hostile
from tests.flow.mixed.clock import A_DAY_S
from tests.flow.mixed.model import Completion, Model
from tests.flow.mixed.stack import Stack

MARKER = re.compile(r"\[m(\d+)\]")
APPS = ("mail", "chat", "search")
OLD = {"kind": "old"}
_MODEL = "recorded-teacher"


def path_of(completion_id: str) -> str:
    return f"/v1/chat/completions/{quote(completion_id, safe='')}"


class Pushing:
    """Has the stack, what it owes, and how often a record is hostile."""

    def __init__(self, stack: Stack, model: Model, *, hostile_share: float) -> None:
        self._stack, self._model, self._dice = stack, model, stack.dice
        self._hostile_share = hostile_share
        self._numbers = count(1)
        self._shapes: Iterator[str] = iter(())
        self.lost_by_gateway = 0

    # -------------------------------------------------------------- records

    def record(self, **fields: Any) -> tuple[str, dict[str, Any]]:
        """A marker and a record with it, in the order of fields in which an export gives it."""
        number = next(self._numbers)
        marker = f"{number}"
        plain = loop.record(number, split="none", tag="none")
        created = fields.pop("created", self._stack.clock.now)
        plain["request"]["messages"][1]["content"] += f" [m{marker}]"
        plain["response"] |= {"id": f"chatcmpl-{marker}", "created": created}
        plain["response"]["usage"] = {"prompt_tokens": number % 97, "completion_tokens": 1, "total_tokens": 1}
        return marker, {**plain, "metadata": {"app": APPS[number % 3]}, "created": created, **fields}

    def _made(self) -> tuple[str, dict[str, Any], bytes, str]:
        """Marker, record, its JSON, and the name of its shape where it is hostile."""
        if self._dice.random() < self._hostile_share:
            name = self._next_shape()
            marker, record = self.record(metadata=dict(hostile.TAG))
            return marker, record, hostile.SHAPES[name](record), name
        if self._dice.random() < 0.08:
            at = self._stack.clock.now - self._dice.randint(2, 9) * A_DAY_S
            marker, record = self.record(metadata=dict(OLD), created=at)
        else:
            marker, record = self.record()
        return marker, record, json.dumps(record).encode(), ""

    def _next_shape(self) -> str:
        """Every shape once before one comes again."""
        name = next(self._shapes, None)
        if name is None:
            names = list(hostile.SHAPES)
            self._dice.shuffle(names)
            self._shapes = iter(names)
            return self._next_shape()
        self._stack.counts["hostile records"] += 1
        return name

    # -------------------------------------------------------------- pushes

    def push(self) -> None:
        """One record, an array or NDJSON."""
        kind = self._dice.choice(["record", "array", "array", "lines"])
        size = {"record": 1, "array": self._dice.randint(1, 12), "lines": self._dice.randint(2, 40)}[kind]
        made = [self._made() for _ in range(size)]
        self._pushed(made, kind)

    def _pushed(self, made: list[tuple[str, dict[str, Any], bytes, str]], kind: str) -> None:
        texts = [text for _, _, text, _ in made]
        bodies = {"record": b"".join, "lines": b"\n".join, "array": lambda texts: b"[" + b",".join(texts) + b"]"}
        status, answer, _ = self._stack.ask("POST", "/v1/captures", bodies[kind](texts))
        if status != 202:
            innocent = [object_ for object_ in made if not object_[3]]
            assert status in {400, 413}, (status, answer)
            assert len(innocent) < len(made), answer
            self._stack.counts["hostile records refused"] += len(made) - len(innocent)
            if innocent:
                self._pushed(innocent, "lines")
            return
        refused = {refusal["index"] for refusal in answer["refused"]}
        assert all(made[position][3] for position in refused), answer["refused"]
        self._stack.counts["hostile records refused"] += len(refused)
        accepted = [object_ for position, object_ in enumerate(made) if position not in refused]
        for (marker, record, _, shape), completion_id in zip(accepted, answer["ids"], strict=True):
            self._owe(marker, completion_id, record, answer["batch_id"], odd=shape)
        self._stack.counts["records accepted"] += len(accepted)

    def _owe(self, marker: str, completion_id: str, record: dict[str, Any], batch: str, *, odd: str) -> None:
        self._model.completions[marker] = Completion(
            marker,
            completion_id,
            record["response"]["model"],
            record["response"]["usage"]["prompt_tokens"],
            record["metadata"],
            batch,
            None if odd else record,
            record["created"],
            odd=odd,
        )

    def push_again(self) -> None:
        """A record that was acknowledged, or other content under its id: the first is kept once, the other renamed."""
        completion = self._some_kept()
        if completion is None or completion.record is None or not self._recorded(completion):
            return
        if self._dice.random() < 0.6:
            answer = self._stack.ok("POST", "/v1/captures", [completion.record, completion.record])
            assert answer["ids"] == [completion.id], answer
            return
        marker, record = self.record()
        record["response"]["id"] = completion.id
        answer = self._stack.ok("POST", "/v1/captures", record)
        assert [renamed["origin_id"] for renamed in answer["renamed"]] == [completion.id], answer
        self._owe(marker, answer["ids"][0], record, answer["batch_id"], odd="")

    def group(self, tag: str, *, train: int, test: int) -> str:
        """The completions of one distillation; their batch."""
        made = []
        for number in range(train + test):
            marker, record = self.record(metadata={"split": "train" if number < train else "test", "tag": tag})
            made.append((marker, record, json.dumps(record).encode(), ""))
        answer = self._stack.ok("POST", "/v1/captures", b"\n".join(text for _, _, text, _ in made))
        for (marker, record, _, _), completion_id in zip(made, answer["ids"], strict=True):
            self._owe(marker, completion_id, record, answer["batch_id"], odd="")
            self._model.completions[marker].needed = True
        self._stack.counts["records accepted"] += len(made)
        return str(answer["batch_id"])

    def poison(self) -> None:
        """A message that is none, in one of the queues."""
        name = self._dice.choice(list(self._stack.system.queues))
        body = self._dice.choice(["", "{", '{"type": "RecordCompletions"}', '{"type": "Unheard"}', "[]", '"x"'])
        body = f"{body} {next(self._numbers)}"
        aws_client("sqs").send_message(QueueUrl=self._stack.system.queues[name], MessageBody=body)
        self._model.poison.add(body)

    # -------------------------------------------------------------- the gateway

    def call_model(self) -> None:
        """A call through the gateway that is to be stored, streamed or not."""
        number = next(self._numbers)
        messages = loop.messages(number)
        messages[1]["content"] += f" [m{number}]"
        streamed = self._dice.random() < 0.4
        tags = {"app": "gateway"}
        body = {"model": loop.STUDENT, "messages": messages, "store": True, "metadata": tags, "stream": streamed}
        lost = self.lost_by_gateway
        answer = self._stack.ok("POST", "/v1/chat/completions", body)
        if streamed:
            chunks = [json.loads(line[6:]) for line in answer.split("\n\n") if line.startswith("data: {")]
            assert answer.endswith("data: [DONE]\n\n")
            answer = {**chunks[0], "usage": {"prompt_tokens": 0}}
        self._model.completions[f"{number}"] = Completion(
            f"{number}",
            answer["id"],
            loop.STUDENT,
            answer["usage"]["prompt_tokens"],
            tags,
            created=answer["created"],
            doubted=self.lost_by_gateway > lost,
            fate="either" if self.lost_by_gateway > lost else "kept",
        )
        self._stack.counts["records accepted"] += 1

    # -------------------------------------------------------------- changes

    def delete(self) -> None:
        completion = self._some_kept()
        if completion is None or not self._recorded(completion):
            return
        status, _, repeated = self._stack.ask("DELETE", path_of(completion.id))
        assert status == 200 or (status == 404 and repeated), (status, completion)
        for same in self._model.completions.values():
            if same.id == completion.id:
                same.fate = "deleted"

    def tag(self) -> None:
        completion = self._some_kept()
        if completion is None or not self._recorded(completion):
            return
        tags = {"app": self._dice.choice(APPS), "edited": self._dice.choice(["yes", "no"])}
        self._stack.ok("POST", path_of(completion.id), {"metadata": tags})
        completion.tags = tags

    def policy(self) -> None:
        """A policy over what is old, or the end of one; what it may meet meanwhile can be there or not."""
        if self._model.policies:
            policy_id = self._model.policies.pop()
            status, _, repeated = self._stack.ask("DELETE", f"/v1/retention_policies/{policy_id}")
            assert status == 200 or (status == 404 and repeated)
            return
        body = {"retention_days": 1, "metadata": OLD}
        self._model.policies.add(self._stack.ok("POST", "/v1/retention_policies", body)["id"])

    def doubt_the_old(self) -> None:
        """A sweep is at work: it may delete whatever a policy covers."""
        if self._model.policies:
            for completion in self._model.of_fate("kept"):
                if completion.tags == OLD:
                    completion.fate = "either"

    def read(self) -> None:
        """Lists, a search and the usage; only that they answer counts here."""
        app = self._dice.choice(APPS)
        urls = [
            f"/v1/chat/completions?metadata[app]={app}&limit=5&order=desc",
            "/v1/chat/completions?text=parcel&limit=3",
            f"/v1/usage?group_by=model,day&metadata[app]={app}",
            "/v1/evals?limit=5",
            "/v1/distillations?limit=5",
            "/v1/files?limit=5",
        ]
        self._stack.ok("GET", self._dice.choice(urls))

    def _some_kept(self) -> Completion | None:
        """One that nobody needs and that certainly is there."""
        choices = [c for c in self._model.of_fate("kept") if not c.needed and not c.odd and c.tags != OLD]
        return self._dice.choice(choices) if choices else None

    def _recorded(self, completion: Completion) -> bool:
        """Whether all of its push can be read by now; a gateway's, whether it can itself."""
        if completion.batch is None:
            return self._stack.ask("GET", path_of(completion.id))[0] == 200
        return bool(self._stack.ok("GET", f"/v1/captures/{completion.batch}")["status"] == "recorded")
