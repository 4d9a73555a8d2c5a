"""A run while its workers are killed, its messages doubled and shuffled, AWS throttles, and the provider answers 429 a
third of the time: the counts are exact, and a sample is paid once unless its worker died with it.

It has 2,000 rows, 20,000 with `--soak`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest
from backports import zstd

from evals.output_items import ROWS_A_CHUNK, output_items
from evals.run import Run
from foundation import blobs
from foundation.settings import settings
from providers import patience
from providers.openai_compatible import OpenAICompatible
from tests.flow.busy_provider import REFUSED, busy_provider
from tests.flow.event_source import EventSource, Killed
from tests.flow.system import System
from tests.flow.throttling import Throttling
from tests.grading.build import counts, row, started


class Deliveries:
    """What each delivery of a chunk paid for, and whether it lived to its end."""

    def __init__(self, source: EventSource, paid: Counter[int]) -> None:
        self.made: list[tuple[bool, Counter[int]]] = []
        consumer = source._consumer

        def watched(event: dict[str, Any], context: Any) -> Any:
            before = paid.copy()
            killed = True
            try:
                answer = consumer(event, context)
                killed = False
            finally:
                self.made.append((killed, paid - before))
            return answer

        source._consumer = watched

    def check(self, paid: Counter[int]) -> None:
        """Twice is paid only where the first worker was killed before it could store what it had."""
        for number in paid:
            lived = [(killed, bought[number]) for killed, bought in self.made if bought[number]]
            assert all(times == 1 for _, times in lived), number
            assert all(killed for killed, _ in lived[:-1]), number


def stored(run: Run) -> Counter[int]:
    """How often each answer lies in the bucket."""
    counts: Counter[int] = Counter()
    for key in blobs.keys(f"runs/{run.id}/calls/"):
        for line in zstd.decompress(blobs.get(key)).splitlines():
            counts[int(orjson.loads(line)["body"]["id"].removeprefix("chatcmpl-"))] += 1
    return counts


def stop_with(source: EventSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed worker asks nobody any more."""
    ask = OpenAICompatible._ask

    async def asked(self: OpenAICompatible, *arguments: Any, **options: Any) -> Any:
        if source.dead:
            raise Killed
        return await ask(self, *arguments, **options)

    monkeypatch.setattr(OpenAICompatible, "_ask", asked)


@pytest.mark.soak
@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize("seed", [1])
def test_a_run_ends_with_exact_counts_and_pays_once(
    seed: int, soak: bool, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 20_000 if soak else 2_000
    with busy_provider(seed) as provider:
        monkeypatch.setenv("PROVIDER_BASE_URL", provider.url)
        monkeypatch.setattr(patience, "_LEAST_PAUSE_S", 0.02)
        settings.cache_clear()
        run = started(system, [row(n) for n in range(rows)], model="busy")
        throttling = Throttling(seed, monkeypatch)
        plans = EventSource(seed, system, throttling, monkeypatch, queue="PLAN", together=(1,))
        chunks = EventSource(seed, system, throttling, monkeypatch, queue="GRADE", together=(1,))
        stop_with(chunks, monkeypatch)
        deliveries = Deliveries(chunks, provider.paid)
        plans.drain()
        chunks.drain()
        throttling.on = False

    refused = len(range(0, rows, REFUSED))
    answered = [n for n in range(rows) if n % REFUSED]
    passed = sum(n % 3 != 0 for n in answered)
    ended = Run.load(run.id)
    assert (ended.status, ended.paused) == ("completed", None)
    assert counts(run.id) == (rows, passed, len(answered) - passed, refused)
    assert system.dead("GRADE") == system.dead("PLAN") == []

    items = [item for chunk in range(rows // ROWS_A_CHUNK) for item in output_items(run.id, chunk)]
    assert [item["datasource_item_id"] for item in items] == list(range(rows))
    assert [item["datasource_item"]["n"] for item in items if item["status"] == "pass"] == [
        n for n in answered if n % 3
    ]
    assert set(provider.paid) == set(answered)
    deliveries.check(provider.paid)
    assert stored(run) == Counter(answered)
    (used,) = ended.per_model_usage
    assert (used.invocation_count, used.total_tokens) == (len(answered), 12 * len(answered))

    lost = provider.paid.total() - len(answered)
    assert lost <= ROWS_A_CHUNK * chunks.kills
    assert provider.busy > 0.3 * rows
    assert provider.most_at_once > 20
    assert min(chunks.kills, chunks.repeats, chunks.failures) > 0
    assert all(throttling.counts[service] for service in ("dynamodb", "s3"))
