"""When models end: by the providers' own word, by the dated list, by the model that one was trained from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from foundation.refreshed import Refreshed
from providers import registry, shutdown_dates
from providers.entry import Entry
from providers.model_version import ModelVersion
from providers.openai_compatible import OpenAICompatible
from providers.provider import ProviderAway
from providers.registry import Known
from providers.shutdown_dates import Shutdown, read, shutdown_date, shutdown_of
from tests.cloud import Cloud

OPENAI = Entry(base_url="https://api.openai.com/v1")
NOVA = "amazon.nova-lite-v1:0"

type Lists = Callable[[dict[str, Any]], None]


@pytest.fixture
def configured(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Say which providers there are, the default one first."""
    assert cloud

    def say(default: Entry, **further: Entry) -> None:
        known = [Known("default", "template", default)]
        known += [Known(name, "api", entry) for name, entry in further.items()]
        monkeypatch.setattr(registry, "_CONFIGURED", Refreshed(lambda: known))
        registry.forget()
        shutdown_dates.forget()

    yield say
    registry.forget()
    shutdown_dates.forget()


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Lists:
    """Say what every OpenAI-compatible provider lists: the date of each model, or the error that it answers with."""

    def say(models: dict[str, Any]) -> None:
        async def listed(_: OpenAICompatible) -> list[dict[str, Any]]:
            if "error" in models:
                raise models["error"]
            return [{"id": name, "shutdown_date": said} for name, said in models.items()]

        monkeypatch.setattr(OpenAICompatible, "list_models", listed)

    return say


def test_what_the_provider_says_counts_before_the_list(configured: Callable[..., None], lists: Lists) -> None:
    configured(OPENAI)
    assert shutdown_date("gpt-5") == "2026-12-11"
    lists({"gpt-5": "2026-12-20", "gpt-9": "2031-01-01", "gpt-10": None})
    read([])
    assert [shutdown_date(name) for name in ("gpt-5", "gpt-9", "gpt-10")] == ["2026-12-20", "2031-01-01", None]
    assert shutdown_of("gpt-9") == Shutdown("2031-01-01", "the list of models of api.openai.com")


def test_a_date_that_is_taken_back_is_gone_and_one_of_a_model_that_is_no_longer_listed_stays(
    configured: Callable[..., None], lists: Lists
) -> None:
    configured(OPENAI)
    lists({"kept": "2026-01-01", "spared": "2026-01-01"})
    read([])
    lists({"spared": None})
    read([])
    assert (shutdown_date("kept"), shutdown_date("spared")) == ("2026-01-01", None)


def test_a_provider_that_is_away_takes_no_date_away(configured: Callable[..., None], lists: Lists) -> None:
    configured(OPENAI)
    lists({"gpt-9": "2031-01-01"})
    read([])
    lists({"error": ProviderAway(503, b"{}", {})})
    read([])
    assert shutdown_date("gpt-9") == "2031-01-01"


@pytest.mark.parametrize("said", ["soon", "", 20270101, ["2027-01-01"], "2027-13-01", True])
def test_what_is_no_date_is_none(said: Any, configured: Callable[..., None], lists: Lists) -> None:
    configured(OPENAI)
    lists({"odd": said, "x" * 2000: "2027-01-01"})
    read([])
    assert shutdown_date("odd") is None


def test_the_list_is_of_the_hosts_that_it_names(configured: Callable[..., None]) -> None:
    configured(Entry(base_url="https://models.example/v1"), openai=OPENAI)
    assert shutdown_date("gpt-5") is None
    assert shutdown_date("openai/gpt-5") == "2026-12-11"


def test_a_fine_tuned_model_ends_with_its_base(configured: Callable[..., None]) -> None:
    configured(OPENAI)
    assert shutdown_date("ft:gpt-4o-mini-2024-07-18:acme:triage:abc") == "2027-01-14"
    assert shutdown_date("ft:gpt-4o-mini-2024-07-18:lab:triage:abc") is None
    ModelVersion(id="triage-7", created_at=1, base="gpt-4.1-mini", trainer="default").create()
    registry.forget()
    assert shutdown_date("triage-7") == "2027-01-14"
    ModelVersion(id="own", created_at=1, base="own", trainer="file").create()
    registry.forget()
    assert shutdown_date("own") is None


def test_models_that_name_each_other_as_their_bases_have_no_end(configured: Callable[..., None]) -> None:
    configured(OPENAI)
    for model, base in (("one", "other"), ("other", "one")):
        ModelVersion(id=model, created_at=1, base=base, trainer="").create()
    registry.forget()
    assert shutdown_date("one") is None


def test_bedrock_is_asked_for_the_models_that_are_named(
    configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(Entry(base_url="http://127.0.0.1:9/v1"), there=Entry(kind="bedrock", region="eu-west-1", models=[NOVA]))
    asked: list[tuple[str, str | None]] = []

    def end_of(model: str, region: str | None) -> str | None:
        asked.append((model, region))
        return "2028-02-03"

    monkeypatch.setattr("providers.bedrock.lifecycle.end_of", end_of)
    read([NOVA, f"there/eu.{NOVA}", "somebody's"])
    assert asked == [(NOVA, "eu-west-1")]
    assert shutdown_date(f"there/eu.{NOVA}") == "2028-02-03"
    assert shutdown_dates.listed_date("there", NOVA) == "2028-02-03"
    assert shutdown_dates.listed_date("default", NOVA) is None

    def denied(*_: Any) -> str:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetFoundationModel")

    monkeypatch.setattr("providers.bedrock.lifecycle.end_of", denied)
    read([NOVA])
    assert shutdown_date(NOVA) == "2028-02-03"


def test_days_are_counted_in_utc() -> None:
    noon = 1_764_417_600  # 2025-11-29T12:00Z
    assert [Shutdown(day, "").days_left(noon) for day in ("2025-11-29", "2025-12-06", "2025-11-01")] == [0, 7, -28]


def test_every_line_of_the_list_has_a_day_and_a_dated_source() -> None:
    text = Path(shutdown_dates.__file__).with_name("shutdown_dates.json").read_text(encoding="utf-8")
    lines = json.loads(text)
    assert len({(line["host"], line["model"]) for line in lines}) == len(lines)
    for line in lines:
        assert date.fromisoformat(line["date"]) > date.fromisoformat(line["as_of"]), line
        assert line["source"].startswith("https://")
