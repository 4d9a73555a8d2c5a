"""Everything at once, for an hour with `--soak`: nothing is lost, nothing stays open, only the guilty are dead letters.

Pushes, gateway calls, runs, distillations, deletions and sweeps, while 5% of all calls to AWS, to the model provider
and to the trainer fail and one record in a thousand is hostile. At the end of each round everything settles and is held
against a model in memory. In `make test` there is one short round, in which more records are hostile.

Memory is measured at the end of each round, when moto's stores have been emptied and the lab is a new one: what is left
is the process's own, the clients and caches of the services among it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from foundation.settings import settings
from tests.flow.mixed.faults import UnreliableLab
from tests.flow.mixed.figures import figures
from tests.flow.mixed.load import Load
from tests.flow.mixed.memory import check_flat
from tests.flow.mixed.receiver import Received
from tests.flow.system import System
from tests.loopback import serving

SHORT = {"steps": 50, "hostile_share": 0.1}
WHOLE = {"steps": 400, "hostile_share": 0.001}


@pytest.fixture
def unreliable_lab() -> Iterator[tuple[UnreliableLab, str]]:
    lab = UnreliableLab()
    server = uvicorn.Server(uvicorn.Config(lab, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield lab, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def quiet(soak_seconds: float) -> Iterator[None]:
    """An hour of logs would be held in memory."""
    logging.disable(logging.CRITICAL if soak_seconds else logging.NOTSET)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.soak
@pytest.mark.usefixtures("fresh_clients", "quiet")
def test_nothing_is_lost_and_nothing_stays_open(
    soak_seconds: float,
    unreliable_lab: tuple[UnreliableLab, str],
    system: System,
    monkeypatch: pytest.MonkeyPatch,
    record_property: pytest.RecordProperty,
) -> None:
    lab, system.lab = unreliable_lab
    monkeypatch.setenv("PROVIDER_BASE_URL", f"{system.lab}/v1")
    settings.cache_clear()
    received = Received(1)
    ends = time.monotonic() + soak_seconds
    with serving(received.handler()) as webhooks:
        load = Load(system, lab, received, monkeypatch)
        for seed in range(1, 1_000_000):
            load.round(webhooks, seed=seed, **(WHOLE if soak_seconds else SHORT))
            if time.monotonic() >= ends:
                break
    record_property("figures", figures(load))
    check_flat(load.memories)
