"""The sections beside the loop: lineages, experiments, health, usage and settings, over the API as it is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from dashboard.pages import usage
from distillations import lineage
from distillations.distillation import Distillation
from distillations.lineage import Node
from foundation import aws, blobs
from tests.dashboard.browser import Browser
from tests.distillations import documents
from tests.distilling import build
from tests.flow import loop
from tests.flow.system import System

NAMED = "<b>\u202ename</b>"


def attempt(number: int, rows: str, **fields: Any) -> Distillation:
    names = {"dataset_id": f"dataset_{number}", "job_id": f"ftjob-{number}", "test_file_id": "file-frozen"}
    made = build.distillation("completed", number=number, **{**names, "name": NAMED, **fields})
    build.dataset(made, card=documents.card(id=made.dataset_id))
    blobs.put(f"datasets/{made.dataset_id}/rows.jsonl", orjson.dumps({"id": "a", "outcome": "train", "evidence": []}))
    blobs.put(f"datasets/{made.dataset_id}/manifest.jsonl", orjson.dumps({"completion_id": "chatcmpl-1"}))
    build.graded(made, "distilled", rows)
    made.change({"verdict": build.verdict(made), "model": f"ft:{number}"})
    lineage.link(
        [
            (Node("eval", made.eval_id), Node("distillation", made.id)),
            (Node("distillation", made.id), Node("dataset", f"dataset_{number}")),
            (Node("dataset", f"dataset_{number}"), Node("job", f"ftjob-{number}")),
            (Node("job", f"ftjob-{number}"), Node("model", f"ft:{number}")),
        ]
    )
    return Distillation.load(made.id)


def harmless(body: str) -> bool:
    return "<b>" not in body and "\u202e" not in body and len(body.encode()) < 200_000


def test_a_verdict_shows_its_cascade_and_fills_in_the_aliass_form(system: System, browser: Browser) -> None:
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-judge"}]})
    part = documents.cascade("lab-small", to="lab-judge")
    made = build.distillation("completed", alias="quick", model="lab-small")
    runs = {"distilled": "evalrun_1", "baseline": "evalrun_2"}
    made.change({"verdict": documents.verdict(id=made.verdict_id, runs=runs, cascade=part)})
    page = browser.page(f"/distillations/{made.id}")
    assert "fails at most 2.0 points more often than the teacher alone" in page.text
    assert "the cascade 75.0% 95.0%" in page.text
    assert "--cascade 'lab-small=-0.125 lab-judge'" in page.text
    proposal = next(link for link in page.links if link.startswith("/aliases/quick?"))
    form = browser.page(proposal)
    assert 'name="cascade_threshold_1" value="-0.125"' in form.body
    assert 'name="model_1" list="models" value="lab-small"' in form.body
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-small"}]})
    form = browser.page(proposal)
    assert 'name="cascade_threshold_0" value="-0.125"' in form.body
    assert 'name="model_1" list="models" value=""' in form.body
    none = part.sources[0].model_copy(update={"target": None, "why_none": NAMED})
    part = part.model_copy(update={"sources": [none]})
    made.change({"verdict": documents.verdict(id=made.verdict_id, runs=runs, cascade=part)})
    page = browser.page(f"/distillations/{made.id}")
    assert "Nothing can be promised of one" in page.text
    assert harmless(page.body)


def test_attempts_stand_beside_each_other_and_what_changed_between_two(browser: Browser) -> None:
    attempt(1, "pfpf")
    attempt(2, "pppf", hyperparameters={"n_epochs": 4, NAMED: NAMED})
    tasks = browser.page("/experiments")
    assert "triage" in tasks.text
    page = browser.page(next(link for link in tasks.links if link.startswith("/experiments/")))
    assert harmless(page.body)
    assert "n_epochs=4" in page.text
    assert "88.0%" in page.text
    changed = browser.page(f"{page.path}?attempt=distill_2&baseline=distill_1")
    assert harmless(changed.body)
    assert "+25.0 points" in changed.text
    assert "hyperparameters.n_epochs" in changed.text
    assert "The same: 1 completion ended alike." in changed.text
    assert any("/compare?run=" in link for link in changed.links)
    assert browser.get("/experiments/eval_none").status == 404


def test_a_lineage_is_walked_both_ways(browser: Browser) -> None:
    attempt(1, "pf")
    page = browser.page("/lineage/ft:1")
    assert "/lineage/ftjob-1" in page.links
    job = browser.page("/lineage/ftjob-1")
    assert {"/lineage/dataset_1", "/lineage/ft%3A1"} <= set(job.links)
    assert "before" in job.text
    assert "after" in job.text
    assert browser.page("/models/ft:1").body.count("<svg") == 1
    assert browser.get("/lineage/nobody").status == 404


def test_health_says_what_failed_and_puts_it_back(system: System, browser: Browser) -> None:
    quiet = browser.page("/health")
    assert "Nothing lies among the dead letters" in quiet.text
    assert "Put back" not in quiet.text.replace("Put back last", "")
    aws.sqs().send_message(QueueUrl=system.queues["VERDICT"], MessageBody=f"no message {NAMED}")
    system.settle()
    page = browser.page("/health")
    assert harmless(page.body)
    assert "1 message could not be handled" in page.text
    assert "does not know such a message" in page.text
    pressed = browser.post("/health/verdict/redrive")
    assert (pressed.path, "completed, 1 moved" in pressed.text) == ("/health", True)
    system.settle()
    assert "1 message could not be handled" in browser.page("/health").text


def test_health_is_an_administrator_s(system: System, visitor: Browser) -> None:
    visitor.sign_in(system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read", "write"]})["key"])
    assert visitor.get("/health").status == 403
    assert visitor.post("/health/grade/redrive").status == 403


def test_usage_has_plots_with_their_numbers(system: System, browser: Browser) -> None:
    loop.capture(system, "used", train=6, test=0)
    by_model = browser.page("/usage")
    assert by_model.body.count('<img class="plot"') >= 2
    assert "Completions by model" in by_model.text
    by_tag = browser.page("/usage?group_by=metadata.tag")
    assert "Tokens by metadata.tag" in by_tag.text
    assert "used" in by_tag.text
    assert browser.get("/usage?group_by=nothing").status == 400
    beside = browser.page("/usage?group_by=alias%2Cmodel&price_as=gpt-4o").text
    assert "As gpt-4o" in beside
    assert "This cost" not in beside, "the lab has no price"
    cheap = loop.record(1, split="train", tag="cheap")
    cheap["response"] |= {"id": "chatcmpl-cheap", "model": "gpt-4o-mini"}
    system.ok("POST", "/v1/captures", cheap)
    system.settle()
    saved = browser.page("/usage?model=gpt-4o-mini&price_as=gpt-4o").text
    assert "less than the same tokens would at the price of gpt-4o" in saved
    assert harmless(by_tag.body)


def test_usage_counts_the_newest_and_all_on_a_press(
    system: System, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.capture(system, "many", train=6, test=2)
    assert "Count all" not in browser.page("/usage").text
    monkeypatch.setattr(usage, "_COUNTED", 5)
    page = browser.page("/usage?group_by=metadata.split&tags=tag%3Dmany")
    assert "These are the newest 5 of them." in page.text
    assert "train 3" in page.text
    assert "/usage?group_by=metadata.split&tags=tag%3Dmany&all=1" in page.links
    whole = browser.page("/usage?group_by=metadata.split&tags=tag%3Dmany&all=1").text
    assert "train 6" in whole
    assert "Count all" not in whole


def test_providers_are_added_tried_and_removed(system: System, browser: Browser) -> None:
    browser.page("/settings")
    form = {"name": "mine", "kind": "openai", "base_url": f"{system.lab}/v1", "models": "lab-small, other"}
    page = browser.post("/settings/providers", {**form, "trains_others": "yes"})
    assert "lab-small, other" in page.text
    assert system.ok("GET", "/v1/providers/mine")["trains_others"] == "yes"
    tried = browser.post("/settings/providers/mine/test")
    assert "it answered in" in tried.text
    assert "mine" not in browser.post("/settings/providers/mine/remove").text
    browser.page("/settings")
    refused = browser.post("/settings/providers", {"name": "two", "kind": "openai", "base_url": "ftp://nowhere"})
    assert (refused.status, 'value="ftp://nowhere"' in refused.body) == (400, True)


def test_webhooks_are_added_and_get_new_secrets(system: System, browser: Browser) -> None:
    browser.page("/settings")
    form = {"name": NAMED, "url": "https://example.org/hook", "event:eval.run.succeeded": "yes"}
    page = browser.post("/settings/webhooks", form)
    assert harmless(page.body)
    assert "shown this once: whsec_" in page.text
    [endpoint] = system.ok("GET", "/v1/webhook_endpoints")["data"]
    assert endpoint["event_types"] == ["eval.run.succeeded"]
    assert "shown this once" not in browser.page("/settings").text
    rotated = browser.post(f"/settings/webhooks/{endpoint['id']}/rotate")
    assert "shown this once: whsec_" in rotated.text
    told = browser.page(next(link for link in rotated.links if link.startswith("/channels/")))
    assert "Send a test" in told.text
    assert harmless(told.body)
    browser.post(f"/settings/webhooks/{endpoint['id']}/remove")
    assert system.ok("GET", "/v1/webhook_endpoints")["data"] == []
    browser.page("/settings")
    refused = browser.post("/settings/webhooks", {"name": "x", "url": "https://example.org/hook"})
    assert (refused.status, "Choose at least one event" in refused.text) == (400, True)


def test_retention_policies_are_added_and_removed(system: System, browser: Browser) -> None:
    browser.page("/settings")
    page = browser.post("/settings/policies", {"retention_days": "365", "metadata": "team=mail"})
    assert "365 days" in page.text
    [policy] = system.ok("GET", "/v1/retention_policies")["data"]
    assert policy["metadata"] == {"team": "mail"}
    assert browser.post("/settings/policies", {"retention_days": "soon"}).status == 400
    assert browser.post("/settings/policies", {"retention_days": "30"}).status == 400
    assert "365 days" not in browser.post(f"/settings/policies/{policy['id']}/remove").text


def test_head_is_get_without_its_body(browser: Browser) -> None:
    for path, status in (("/settings", 200), ("/experiments", 200), ("/static/stillhouse.css", 200), ("/nothing", 404)):
        head = browser._ask("HEAD", path, "", follow=False, key=None)
        assert (head.status, head.body) == (status, ""), path
        assert head.headers["content-type"].startswith("text/")
