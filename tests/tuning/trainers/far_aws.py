"""AWS as the transport of boto3's clients: the fakes without a server, and a lab that a test scripts."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

from foundation import aws, blobs
from local.fakes.app import Fakes
from local.fakes.context import Context
from local.fakes.controls import Controls, Fault, Timing
from local.fakes.lab import Training
from local.fakes.records import Record, Records
from local.fakes.walker import hold
from local.fakes.wire import Reply, Sent
from local.lab.store import Store
from tests.fakes import Bus
from tests.tuning.trainers.far_side import FarSide

_ALWAYS = 1_000
# What is deployed takes a few of the calls that a watcher makes.
_DEPLOYS_S = 4.0


_STANDING: dict[str, FarAws] = {}
"""The one that answers the calls of a service."""


@cache
def _client(service: str) -> Any:
    """The client of all tests, since to make one of SageMaker takes as long as a test does."""
    made = boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        endpoint_url=f"http://far/{service}",
        config=Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED),
    )
    hold(made, answers=False)
    # moto would look for who answers at this host, though somebody has answered.
    made.meta.events.unregister("before-send", botocore_stubber)

    def serve(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return _STANDING[service].served(service, request)

    made.meta.events.register_first(f"before-send.{service}.*", serve)
    return made


@dataclass
class ScriptedLab:
    """Trains as it is told. A job's id is its intent."""

    states: dict[str, str] = field(default_factory=dict)

    def train(self, base: str, rows: list[Any], *, epochs: int | None, seed: int, suffix: str) -> str:  # noqa: ARG002 - the lab's
        self.states[suffix] = "running"
        return suffix

    def look(self, job_id: str) -> Training:
        state = self.states[job_id]
        error = "the loss is odd" if state == "failed" else None
        return Training(state, f"ft:{job_id}", 900, error, 0.1)

    def cancel(self, job_id: str) -> None:
        self.states[job_id] = "cancelled"


def _quick() -> Controls:
    return Controls(timing=Timing(validation=0, processing=0, training=0, stopping=0, deployment=_DEPLOYS_S))


@dataclass(kw_only=True)
class FarAws(FarSide):
    """The fakes, whose clock goes on by a second with each call.

    `job_kind` is that of a job's record, `create` the operation that makes one, `status` where its state stands, and
    `kept` are the kinds of what costs.
    """

    lost: Exception = field(default_factory=lambda: ReadTimeoutError(endpoint_url="http://far"))
    job_kind: str
    create: str
    status: str
    kept: tuple[str, ...]
    lab: ScriptedLab = field(default_factory=ScriptedLab)
    controls: Controls = field(default_factory=_quick)
    pondering: set[str] = field(default_factory=set)
    now: float = 1_000_000.0

    def __post_init__(self) -> None:
        self.records = Records(Store(None), region="us-east-1", account="123456789012", clock=lambda: self.now)
        lab: Any = self.lab
        context = Context(records=self.records, controls=self.controls, lab=lab, s3=aws.s3(), events=Bus([]))
        self.services = Fakes(context).services

    def stand_for(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the system's client of a service come here. Its requests are held to AWS's model."""
        _STANDING[service] = self
        monkeypatch.setattr(aws, service.replace("-", "_"), lambda: _client(service))

    def served(self, service: str, request: AWSPreparedRequest) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        sent = Sent(request.method, url.path.removeprefix(f"/{service}") or "/", url.query, headers, body)
        reply = self.call(lambda: self._answer(service, sent))
        return AWSResponse(request.url, reply.status, reply.headers, MockRawResponse(reply.body))

    def _answer(self, service: str, sent: Sent) -> Reply:
        self.now += 1
        known = {record.name for record in self.records.all(self.job_kind)}
        reply = self.services[service].reply(sent)
        self.made += [record.name for record in self.records.all(self.job_kind) if record.name not in known]
        if any(f'Name":"{intent}"'.encode() in reply.body for intent in self.pondering):
            state, other = f'"{self.status}":"InProgress"', f'"{self.status}":"pondering"'
            return Reply(reply.status, reply.body.replace(state.encode(), other.encode()), reply.headers)
        return reply

    def refuses(self) -> bool:
        refusal = Fault(operation=self.create, code="ValidationException", message="no such base", times=_ALWAYS)
        self.controls.faults.append(refusal)
        return True

    def becomes(self, intent: str, state: str) -> None:
        if state == "pondering":
            self.pondering.add(intent)
        else:
            self.lab.states[intent] = state

    def vanishes(self, intent: str) -> None:
        self.records.drop(self._of(intent))

    def state(self, intent: str) -> str:
        return str(self._of(intent).document[self.status])

    def files(self, intent: str) -> list[str]:
        return [key for key in blobs.keys(f"tuning/{intent}/") if key.endswith(".jsonl")]

    def costs(self) -> list[str]:
        """The names of what is kept: what serves a model has the model's name."""
        names: set[str] = set()
        for kind in self.kept:
            of_kind = [record.name for record in self.records.all(kind)]
            assert len(of_kind) == len(set(of_kind)), "something was made twice"
            names |= set(of_kind)
        return sorted(names)

    def deployed(self, intent: str) -> None:  # noqa: ARG002 - the clock is everybody's
        self.now += _DEPLOYS_S

    def taken(self) -> Any:
        return copy.deepcopy((self.made, self.pondering, self.now, self.lab.states, self.records._kept))

    def put_back(self, moment: Any) -> None:
        self.made, self.pondering, self.now, self.lab.states, self.records._kept = copy.deepcopy(moment)

    def _of(self, intent: str) -> Record:
        record = self.records.find(self.job_kind, intent)
        assert record
        return record


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
