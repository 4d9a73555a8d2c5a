"""The process that is the local stack: it holds emulator, lab, fakes, pages, subscriber and clock.

It takes them with it: SIGINT, SIGTERM and SIGHUP end it in order; after a SIGKILL its children end by their tether.
While it lives it holds `.local/supervisor.lock`.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from local.stack import aws, deploy, fingerprint
from local.stack.clock import Clock
from local.stack.deploy import Report
from local.stack.emulator import await_emulator, emulator
from local.stack.errors import StackError
from local.stack.fakes import await_fakes, fakes, fakes_environment, fakes_url
from local.stack.info import StackInfo, write_info
from local.stack.lab import await_lab, lab, lab_url
from local.stack.layout import Layout
from local.stack.lock import held, holder
from local.stack.loop import repeated
from local.stack.pages import pages, pages_url
from local.stack.ports import HOST, kept_ports
from local.stack.processes import Child
from local.stack.subscriber import Subscriber
from local.stack.teacher import TEACHER, prepare_teacher

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_KEY = "sk-sh-first-{secret}"


def run(layout: Layout, report: Report, *, ready: Callable[[StackInfo], None]) -> NoReturn:
    """Starts everything, calls `ready`, and stays until a signal or until a child ends (StackError)."""
    with ExitStack() as parts:
        parts.enter_context(_only_one(layout))
        parts.enter_context(_interrupted_by_signals())
        parts.callback(_clear, layout)
        _clear(layout)
        _forget_old_code(layout)
        children, info = _start(layout, report, parts)
        write_info(layout.info, info)
        ready(info)
        _watch(children)


def describe(
    layout: Layout, outputs: dict[str, str], *, endpoint_url: str, lab: str, fakes: str, shown_at: str, sources: str
) -> StackInfo:
    """What users of the stack need, from the outputs of the deployed one."""
    secret = aws.client("secretsmanager", endpoint_url).get_secret_value(SecretId=outputs["FirstKeySecretArn"])
    return StackInfo(
        api_url=_local_api(outputs["ApiUrl"], endpoint_url),
        gateway_url=_local_function(outputs["GatewayUrl"], endpoint_url),
        api_key=_FIRST_KEY.format(secret=secret["SecretString"]),
        endpoint_url=endpoint_url,
        lab_url=lab,
        fakes_url=fakes,
        pages_url=shown_at,
        notifications=str(layout.notifications),
        region=aws.REGION,
        resources=outputs,
        stack_name=deploy.STACK_NAME,
        pid=os.getpid(),
        sources=sources,
        processes=fingerprint.processes(layout.root),
    )


def redeploy(layout: Layout, info: StackInfo, report: Report) -> StackInfo:
    """Brings a running stack to the present sources, under the supervisor that it has."""
    sources = deploy.build(layout, report)
    outputs = deploy.deploy(
        layout,
        sources=sources,
        endpoint_url=info.endpoint_url,
        lab_url=info.lab_url,
        pages_url=info.pages_url,
        report=report,
    )
    described = describe(
        layout,
        outputs,
        endpoint_url=info.endpoint_url,
        lab=info.lab_url,
        fakes=info.fakes_url,
        shown_at=info.pages_url,
        sources=sources,
    )
    changed = replace(described, pid=info.pid, processes=info.processes)
    write_info(layout.info, changed)
    return changed


def _start(layout: Layout, report: Report, parts: ExitStack) -> tuple[Sequence[Child], StackInfo]:
    for name in ("emulator", "lab", "fakes", "sam"):
        layout.log(name).unlink(missing_ok=True)
    ports = kept_ports(layout.ports)
    endpoint_url, lab_address, shown_at = f"http://{HOST}:{ports.emulator}", lab_url(ports.lab), pages_url(ports.pages)
    fakes_address = fakes_url(ports.fakes)
    report(f"emulator: {endpoint_url}")
    report(f"lab: {lab_address}")
    # Before the minutes that building takes: another stack that starts meanwhile must find the port taken.
    parts.enter_context(pages(layout.info, ports.pages))
    children = (
        parts.enter_context(emulator(layout, ports.emulator, apart=fakes_environment(fakes_address))),
        parts.enter_context(lab(layout, ports.lab)),
        parts.enter_context(fakes(layout, ports.fakes, endpoint_url=endpoint_url, lab_url=lab_address)),
    )
    for each in children:
        parts.callback(each.terminate)  # first to all, so that they end side by side
    sources = deploy.build(layout, report)
    await_emulator(children[0], ports.emulator)
    outputs = deploy.deploy(
        layout, sources=sources, endpoint_url=endpoint_url, lab_url=lab_address, pages_url=shown_at, report=report
    )
    subscriber = Subscriber.subscribed(
        endpoint_url=endpoint_url, topic_arn=outputs["TopicArn"], file=layout.notifications, report=report
    )
    await_lab(children[1], ports.lab)
    await_fakes(children[2], ports.fakes)
    if prepare_teacher(lab_address):
        report(f"lab: {TEACHER} has learnt to sort the bundled support mail")
    clock = Clock.of(endpoint_url=endpoint_url, function=outputs["WatchFunctionName"])
    parts.enter_context(repeated("subscriber", subscriber.receive, pause=0, report=report))
    parts.enter_context(repeated("clock", clock.tick, pause=1, report=report))
    described = describe(
        layout,
        outputs,
        endpoint_url=endpoint_url,
        lab=lab_address,
        fakes=fakes_address,
        shown_at=shown_at,
        sources=sources,
    )
    return children, described


@contextmanager
def _only_one(layout: Layout) -> Iterator[None]:
    pid = holder(layout.supervisor)
    if pid is not None:
        raise StackError(f"the local stack is up already (process {pid}); `make local-down` stops it")
    with held(layout.supervisor):
        yield


def _watch(children: Sequence[Child]) -> NoReturn:
    while True:
        for child in children:
            if child.process.poll() is not None:
                raise StackError(f"{child.name} ended ({child.process.returncode}), see {child.log}")
        time.sleep(0.5)


def _clear(layout: Layout) -> None:
    layout.info.unlink(missing_ok=True)
    shutil.rmtree(layout.scratch, ignore_errors=True)
    layout.scratch.mkdir(parents=True, exist_ok=True)


def _forget_old_code(layout: Layout) -> None:
    """All but the latest of services and of sandbox: likely they are deployed again, and removing takes seconds."""
    layout.code.mkdir(parents=True, exist_ok=True)
    for unpacked in sorted(layout.code.iterdir(), key=lambda path: path.stat().st_mtime)[:-2]:
        shutil.rmtree(unpacked, ignore_errors=True)


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Every ending signal raises KeyboardInterrupt, once: the taking down itself is not interrupted."""

    def interrupt(*_: Any) -> NoReturn:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, interrupt)) for number in _ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _local_api(url: str, endpoint_url: str) -> str:
    """The path form of `https://<api>.execute-api.…/v1`, whose host name no local resolver knows."""
    identifier = url.partition("://")[2].partition(".")[0]
    return f"{endpoint_url}/_aws/execute-api/{identifier}/$default/v1"


def _local_function(url: str, endpoint_url: str) -> str:
    identifier = url.partition("://")[2].partition(".")[0]
    return f"{endpoint_url}/_aws/lambda-url/{identifier}/v1"
