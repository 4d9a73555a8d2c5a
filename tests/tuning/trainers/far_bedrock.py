"""Bedrock as the transport of boto3's client: the fakes' Bedrock without a server, and a lab that a test scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse

from foundation import aws, blobs
from local.fakes.app import Fakes
from local.fakes.context import Context
from local.fakes.controls import Controls, Fault, Timing
from local.fakes.lab import Training
from local.fakes.records import Record, Records
from local.fakes.walker import hold
from local.fakes.wire import Reply, Sent
from local.lab.store import Store
from tests.fakes import Bus, serve_bedrock
from tests.tuning.trainers.far_side import FarSide
from tuning.trainers.bedrock import BedrockTrainer

JOB, MODEL, DEPLOYMENT = "customization-job", "custom-model", "deployment"
_CREATE = "CreateModelCustomizationJob"
_ALWAYS = 1_000
# A deployment takes a few of the calls that a watcher makes.
_DEPLOYS_S = 4.0


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


@dataclass
class FarBedrock(FarSide):
    """The fakes, whose clock goes on by a second with each call."""

    lost: Exception = field(default_factory=lambda: ReadTimeoutError(endpoint_url="http://far"))
    student: str = "bedrock/amazon.nova-micro-v1:0"
    lab: ScriptedLab = field(default_factory=ScriptedLab)
    controls: Controls = field(default_factory=lambda: Controls(timing=_TIMING))
    pondering: set[str] = field(default_factory=set)
    now: float = 1_000_000.0

    def __post_init__(self) -> None:
        self.records = Records(Store(None), region="us-east-1", account="123456789012", clock=lambda: self.now)
        lab: Any = self.lab
        context = Context(records=self.records, controls=self.controls, lab=lab, s3=aws.s3(), events=Bus([]))
        self.bedrock = Fakes(context).services["bedrock"]

    def trainer(self) -> BedrockTrainer:
        return BedrockTrainer()

    def client(self) -> Any:
        """A client of boto3 whose requests are held to AWS's model and go to the fakes by way of `call`."""
        made = boto3.client(
            "bedrock",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            endpoint_url="http://far",
            config=Config(retries={"total_max_attempts": 1}),
        )
        hold(made, answers=False)
        made.meta.events.register_first("before-send.bedrock.*", self.serve)
        return made

    def serve(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        sent = Sent(request.method, url.path, url.query, headers, body)
        reply = self.call(lambda: self._answer(sent))
        return AWSResponse(request.url, reply.status, reply.headers, MockRawResponse(reply.body))

    def _answer(self, sent: Sent) -> Reply:
        self.now += 1
        known = {record.name for record in self.records.all(JOB)}
        reply = self.bedrock.reply(sent)
        self.made += [record.name for record in self.records.all(JOB) if record.name not in known]
        if any(f'"jobName":"{intent}"'.encode() in reply.body for intent in self.pondering):
            return Reply(
                reply.status, reply.body.replace(b'"status":"InProgress"', b'"status":"pondering"'), reply.headers
            )
        return reply

    def refuses(self) -> bool:
        refusal = Fault(operation=_CREATE, code="ValidationException", message="no such base", times=_ALWAYS)
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
        return str(self._of(intent).document["status"])

    def files(self, intent: str) -> list[str]:
        return list(blobs.keys(f"tuning/{intent}/"))

    def costs(self) -> list[str]:
        """The names of what is kept: a deployment has the name of its model."""
        deployed = [record.name for record in self.records.all(DEPLOYMENT)]
        assert len(deployed) == len(set(deployed)), "something was deployed twice"
        return sorted({*deployed, *(record.name for record in self.records.all(MODEL))})

    def deployed(self, intent: str) -> None:  # noqa: ARG002 - the clock is everybody's
        self.now += _DEPLOYS_S

    def _of(self, intent: str) -> Record:
        record = self.records.find(JOB, intent)
        assert record
        return record


_TIMING = Timing(validation=0, processing=0, training=0, stopping=0, deployment=_DEPLOYS_S)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def make_far_side(monkeypatch: pytest.MonkeyPatch) -> FarBedrock:
    serve_bedrock(monkeypatch)
    far = FarBedrock()
    client = far.client()
    monkeypatch.setattr(aws, "bedrock", lambda: client)
    return far
