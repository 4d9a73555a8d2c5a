"""Fixtures that more than one folder uses: AWS in process, the lab on loopback, a Lambda context."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
from moto import mock_aws

from foundation import lease, loop
from foundation.ids import now_ms
from tests import beside, permissions
from tests.cloud import CREDENTIALS, cloud, forget, forget_clients, mocked_aws, moves_in_process, sandbox_in_process  # noqa: F401 - fixtures
from tests.examples import register
from tests.flow.system import System, deploy
from tests.fresh import FRESH, Fresh, keep_one
from tests.lab_server import serving_lab
from tests.quick_aws import quicken

BESIDE_THE_STACK = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unbuilt", action="store_true", help="also the tests of behaviour that is not built yet")
    parser.addoption("--processes", type=int, default=1, help="in how many processes the tests run, file by file")
    parser.addoption("--after", action="append", default=[], help="run no test before this file is there")
    parser.addoption("--soak", action="store_true", help="tests marked `soak` at their full length")
    parser.addoption("--soak-seconds", type=float, default=3600.0, help="how long the mixed load of --soak lasts")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have measured, whichever worker ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", []):
                if name == "figures" and report.when == "call":
                    terminalreporter.write_line(value)


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # What is imported and collected stays; `pytest_collection_finish` sets the collector to work again.
    if config.getoption("--soak"):
        hypothesis.settings.load_profile("soak")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the soak runs. The tests of the stack come first, then the longest others."""
    left_out = [] if config.getoption("--soak") else [item for item in items if _is_of_the_soak_alone(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is_of_the_soak_alone(item)]
    items.sort(key=beside.place)


def _is_of_the_soak_alone(item: pytest.Item) -> bool:
    return any(marker.kwargs.get("alone") for marker in item.iter_markers("soak"))


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """With `--processes`, run the tests in so many; else let pytest run them in this one."""
    beside.wait_for(session.config.getoption("--after"))
    if session.config.option.collectonly or session.testsfailed:
        return None
    if session.config.getoption("--processes") < 2:
        keep_one(session)
        return None
    beside.run(session, session.config.getoption("--processes"))
    return True


def pytest_collection_finish(session: pytest.Session) -> None:
    """What the modules made stays to the end: the collector need not look at those 200,000 objects again and again.

    What a test makes is mostly gone by itself, so the collector looks seldom.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()
    config, ids = session.config, [item.nodeid for item in session.items]
    config.stash[BESIDE_THE_STACK] = config.getoption("--processes") > 1 and any(map(beside.is_of_the_stack, ids))


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether a test is to run at its full length."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def soak_seconds(request: pytest.FixtureRequest, soak: bool) -> float:
    """How long the mixed load lasts; 0 for one short round."""
    return float(request.config.getoption("--soak-seconds")) if soak else 0.0


@pytest.fixture
def fresh(pytestconfig: pytest.Config) -> Fresh:
    return pytestconfig.stash[FRESH]


quicken()
register()
permissions.install()


_RESOLVED: dict[str, set[str]] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    from pytest_socket import socket_allow_hosts

    if item.config.stash[BESIDE_THE_STACK] and not beside.is_of_the_stack(item.nodeid):
        beside.give_way()
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True, resolution_cache=_RESOLVED)


@dataclass
class Context:
    """Lambda's context, with as much time left as a test gives it."""

    left_ms: int = 60_000
    aws_request_id: str = "test-request"
    function_name: str = "test"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"
    extra: dict[str, Any] = field(default_factory=dict)

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture(scope="session")
def lab_server() -> Iterator[str]:
    """The lab, for real, on a free port of loopback; one for all tests of a process."""
    with serving_lab() as address:
        yield address
    loop._runner().close()


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """For a test that makes AWS fail so often that its clients would repeat fewer calls of the next test."""
    forget_clients()
    yield
    forget_clients()


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, lab_server: str) -> Iterator[System]:
    """The whole system in process: moto's AWS, the real handlers, the real lab."""
    for name, value in {**CREDENTIALS, "POWERTOOLS_SERVICE_NAME": "stillhouse"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    forget()
    with mock_aws():
        deployed = deploy(monkeypatch.setenv, provider_url=f"{lab_server}/v1")
        monkeypatch.setattr(lease, "now_ms", lambda: now_ms() + deployed.passed_ms)
        yield deployed
    forget()
