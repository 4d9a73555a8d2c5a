"""Pages of objects in states that a whole loop seldom passes: the API's own documents, given by a stand-in for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import orjson
import pytest

from dashboard import stillhouse_api
from dashboard.pages import distillations as page_of_distillations
from distillations import dataset, distillation
from distillations.attempts import Attempt
from distillations.dataset import Dataset, DatasetCard
from distillations.dataset_row import DatasetRow, Evidence
from distillations.distillation import Distillation, Step
from distillations.failure import Failure
from distillations.grades import DatasetRun
from distillations.leaks import Leak
from distillations.learning_curve import LearningCurve, LearningPoint
from distillations.model_score import ModelScore
from distillations.plan import Plan
from distillations.recipe import UsedRecipe
from evals.counts import ResultCounts
from evals.run_document import RunDocument
from foundation import edge
from foundation.later import Pause
from foundation.settings import settings
from tests.dashboard.browser import Answer, Browser
from tests.dashboard.cards import cards

SESSION = {"stillhouse_session": "sk-sh-session_1-0~admin"}
SOURCE = {"type": "stored_completions"}
SCORE = ModelScore(model="lab-small", passed=1, total=2, score=0.5, interval=(0.1, 0.9))
NAMED = '<b>"name"</b>'


class Answered(NamedTuple):
    """What urllib3 gives of an answer."""

    status: int
    data: bytes
    headers: Mapping[str, str] = {}


class StandIn:
    """The API: documents by their paths below `/v1`; whatever else is asked for is not there."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.away: set[str] = set()
        self.broken: set[str] = set()
        self.sent: list[tuple[str, Any]] = []
        self.visitor = Browser(cookies=dict(SESSION))

    def answer(self, method: str, url: str, **request: Any) -> Answered:
        path = url.removeprefix("http://api.test/v1").partition("?")[0]
        if path in self.broken:
            return Answered(500, b"{}", {"x-request-id": "req-of-the-api"})
        if method != "GET":
            self.sent.append((f"{method} {path}", orjson.loads(request["body"] or b"null")))
            return Answered(200, orjson.dumps(self.documents.get(f"{method} {path}", {"id": "made"})))
        if path in self.away:
            return Answered(503, b"{}")
        if path not in self.documents:
            return Answered(404, orjson.dumps({"error": {"message": f"No {path}."}}))
        return Answered(
            200, orjson.dumps(self.documents[path], default=lambda document: document.model_dump(mode="json"))
        )

    def page(self, path: str) -> Answer:
        return self.visitor.page(path)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    for name in ("TABLE", "BUCKET", "PROVIDER_BASE_URL"):
        monkeypatch.setenv(name, "http://none.test")
    monkeypatch.setenv("API_URL", "http://api.test/v1")
    settings.cache_clear()
    stand_in = StandIn()
    monkeypatch.setattr(stillhouse_api, "_sent", stand_in.answer)
    return stand_in


def begun(**fields: Any) -> Distillation:
    made = {"id": "distill_1", "created_at": 1, "name": NAMED, "eval_id": "eval_1", "test": SOURCE, "train": SOURCE}
    return Distillation.model_validate({**made, "teacher": "large", "student": "lab-small", **fields})


def plan(**fields: Any) -> Plan:
    figures = {"teacher": SCORE, "baseline": SCORE, "teacher_answers": "stored", "rows": 2, "rows_needed": None}
    return Plan(**{**figures, "discordance": 0.1, "expected_gain": 0.1, "reasons": [NAMED], **fields})


def card(**fields: Any) -> DatasetCard:
    counts = {"rows": 2, "train_rows": 1, "validation_rows": 1, "dropped": {"too_long": 3}, "contradicted": []}
    return DatasetCard(id="ds_1", created_at=1, recipe=UsedRecipe(source=SOURCE), **{**counts, **fields})


@pytest.mark.parametrize("status", get_args(distillation.Status.__value__))
@pytest.mark.parametrize(
    "fields", [{}, {"plan": plan(), "error": Failure(code="x", message=NAMED)}], ids=["bare", "full"]
)
def test_a_distillation_in_every_state(api: StandIn, status: str, fields: dict[str, Any]) -> None:
    api.documents["/distillations/distill_1"] = begun(status=status, history=[Step(status="queued", at=1)], **fields)
    page = api.page("/distillations/distill_1")
    assert "<b>" not in page.body
    assert ("Approve" in page.text) is (status == "blocked")
    assert ('http-equiv="refresh"' in page.body) is (status not in {"blocked", "completed", "failed", "cancelled"})


def test_no_state_of_the_way_is_unknown() -> None:
    assert set(page_of_distillations.STATES) < set(get_args(distillation.Status.__value__))


def test_what_waits_says_why_in_words(api: StandIn) -> None:
    paused = Pause(since=1_790_000_000, reason=NAMED)
    api.documents["/distillations/distill_1"] = begun(status="measuring", paused=paused)
    page = api.page("/distillations/distill_1")
    # A provider may be away for a day: each look costs calls.
    assert 'content="30"' in page.body
    assert 'It waits since 2026-09-21 14:13: <b>"name"</b>' in page.text
    assert "since&#34;" not in page.body


def test_attempts_are_shown_and_all_students_repeat(api: StandIn) -> None:
    attempts = [
        Attempt(
            student="lab-small", hyperparameters={"n_epochs": 2}, job_id="j1", score=SCORE, run_id="r1", chosen=True
        ),
        Attempt(student="lab-tiny", hyperparameters={}, job_id="j2", step=40, error=NAMED, cost_usd=2.5),
    ]
    students = ["lab-small", "lab-tiny"]
    api.documents["/distillations/distill_1"] = begun(status="completed", students=students, attempts=attempts)
    page = api.page("/distillations/distill_1")
    for words in ("n_epochs 2", "50.0%", "chosen", "lab-tiny after step 40", "$2.50", "choosing"):
        assert words in page.text
    assert 'name="student" value="lab-small, lab-tiny"' in page.body
    api.documents |= {key: {"data": [], "has_more": False} for key in ("/chat/completions", "/evals", "/models")}
    again = api.page("/distillations/new?repeat=distill_1")
    assert 'name="student" value="lab-small, lab-tiny"' in again.body
    page = api.page("/distillations/distill_1")
    api.documents["/distillations/made"] = begun()
    api.visitor.post("/distillations/distill_1/repeat", {"student": "lab-small, lab-tiny", "trainer": "default"})
    assert api.sent.pop() == ("POST /distillations/distill_1/repeat", {"trainer": "default", "student": students})
    api.visitor.post("/distillations/distill_1/repeat", {"student": "lab-small"})
    assert api.sent.pop() == ("POST /distillations/distill_1/repeat", {"student": "lab-small"})


def test_leaks_for_which_a_distillation_waits_are_linked(api: StandIn) -> None:
    leaks = [Leak(id="chatcmpl-1", rule="near_leaks", test_rows=["chatcmpl-9"], score=0.912), Leak(id="b", rule="x")]
    api.documents["/distillations/distill_1"] = begun(status="blocked", dataset_id="ds_1", plan=plan())
    api.documents["/datasets/ds_1"] = Dataset(id="ds_1", created_at=1, status="ready", card=card(leaks=leaks))
    page = api.page("/distillations/distill_1")
    assert "/completions/chatcmpl-1" in page.links
    assert "chatcmpl-9" in page.text
    assert "0.91" in page.text


@pytest.mark.parametrize("status", get_args(dataset.Status.__value__))
def test_a_dataset_in_every_state(api: StandIn, status: str) -> None:
    runs = [
        DatasetRun(name="3 quality", eval_id="eval_1", run_id="r1", rows=9, left_out=2),
        DatasetRun(name=NAMED, rows=1),
    ]
    made = Dataset(id="ds_1", created_at=1, status=status, held=[NAMED], runs=runs, dry_run=True)  # type: ignore[arg-type]
    api.documents["/datasets/ds_1"] = made
    api.documents["/datasets"] = {"data": [made], "has_more": False}
    page = api.page("/datasets/ds_1")
    assert "/evals/eval_1/runs/r1" in page.links
    assert "<b>" not in page.body
    assert "a dry run" in api.page("/datasets").text


def test_a_rule_leads_to_its_rows(api: StandIn) -> None:
    evidence = Evidence(rule="too_long", action="dropped", reason=NAMED, others=["chatcmpl-2"], score=None)
    rows = [
        DatasetRow(id="chatcmpl-1", outcome="dropped", copies=0, evidence=[evidence]),
        DatasetRow(id="written-1", outcome="train", synthetic=True),
    ]
    api.documents["/datasets/ds_1"] = Dataset(id="ds_1", created_at=1, status="ready", card=card(warnings=[NAMED]))
    api.documents["/datasets/ds_1/rows"] = {"data": rows, "has_more": True, "last_id": "written-1"}
    page = api.page("/datasets/ds_1")
    link = next(link for link in page.links if "too_long" in link)
    assert link == "/datasets/ds_1?rule=too_long"
    assert "/completions/written-1" not in page.links
    assert any(link == "/datasets/ds_1?rule=too_long&after=written-1" for link in api.page(link).links)


def test_a_report_shows_its_learning_curve_and_what_a_training_takes(api: StandIn) -> None:
    points = [
        LearningPoint(share=0.5, examples=1200, job_id="j", score=SCORE),
        LearningPoint(share=1, examples=2400, job_id="k", error=NAMED),
    ]
    fields = {"dataset_id": "ds_1", "eval_id": "e", "student": "lab-small", "trainer": "default", "seed": 1}
    curve = LearningCurve(id="c", created_at=1, points=points, sentence=NAMED, **fields)  # type: ignore[arg-type]
    lists = ("warnings", "steps", "labels", "amounts", "periods", "topics", "skew", "imbalances", "rare_slices")
    counts = ("created_at", "selected", "rows", "train_rows", "train_lines", "validation_rows", "train_tokens")
    api.documents["/datasets/ds_1/report"] = {
        "id": "ds_1",
        **{name: [] for name in lists},
        **dict.fromkeys(counts, 1),
        **dict.fromkeys(("production", "drift", "suitability")),
        "estimates": [{"trainer": "lab", "epochs": 3, "tokens": 12_000, "cost_usd": None}],
        "learning_curve": curve.model_dump(mode="json"),
    }
    page = api.page("/datasets/ds_1/report")
    for words in ('<b>"name"</b>', "1,200 50.0% 10.0% to 90.0%", "lab 3 12,000 no price"):
        assert words in page.text
    assert "<b>" not in page.body


def test_a_run_that_waits_and_rows_that_could_not_be_graded(api: StandIn) -> None:
    run = RunDocument(
        id="r1",
        created_at=1,
        eval_id="eval_1",
        status="in_progress",
        model="m",
        name="n",
        data_source={"type": "completions", "source": SOURCE},  # type: ignore[arg-type]
        result_counts=ResultCounts(),
        per_model_usage=[],
        cost_usd=0.25,
        call_cost_usd=None,
        latency_ms=None,
        per_testing_criteria_results=[],
        error=None,
        metadata=None,
        served_by={},
        paused=Pause(since=1, reason="away"),
        warnings=[],
        report_url="",
        statistics=None,
        progress=None,
        power=None,
    )
    failed = {"name": "c", "passed": False, "score": 0.0, "sample": {"error": {"message": "no judge"}}}
    item = {"id": "i", "status": "fail", "errored": True, "results": [failed], "datasource_item": {}, "sample": {}}
    api.documents["/evals/eval_1"] = {"id": "eval_1", "name": None, "testing_criteria": []}
    api.documents["/evals/eval_1/runs/r1"] = run
    api.documents["/evals/eval_1/runs"] = {"data": [run], "has_more": False}
    api.documents["/evals/eval_1/runs/r1/output_items"] = {"data": [item], "has_more": False}
    page = api.page("/evals/eval_1/runs/r1")
    assert "It waits since 1970-01-01 00:00 UTC: away" in page.text
    assert page.body.count('<span class="badge bad">error</span>') == 2
    assert "no judge" in page.text


def test_forms_need_no_provider_that_answers(api: StandIn) -> None:
    api.away.add("/models")
    api.documents |= {path: {"data": [], "has_more": False} for path in ("/chat/completions", "/evals", "/deployments")}
    assert "Make the eval and run it" in api.page("/evals/new").text
    assert "Distill" in api.page("/distillations/new").text
    assert "does not say now" in api.page("/models").text
    api.away.add("/deployments")
    busy = api.visitor.get("/models")
    assert busy.status == 503
    # With scripts nobody needs to press anything; without, nothing moves on before it is read.
    assert '<meta name="poll" content="5" data-refused>' in busy.body
    assert 'http-equiv="refresh"' not in busy.body
    assert busy.body.count('<a href="/models">Look again</a>') == 1
    unsure = api.visitor.get("/models")
    assert "Nothing was changed" not in unsure.text


def test_the_list_of_models_says_whose_are_missing(api: StandIn) -> None:
    models = {"data": [{"id": "lab-small", "owned_by": "lab"}], "missing_providers": ["gamma<"]}
    api.documents |= {"/models": models, "/deployments": {"data": [], "has_more": False}}
    page = api.page("/models")
    assert "lab-small" in page.text
    assert "gamma< does not say now which models there are" in page.text


def test_an_alias_can_be_changed_though_its_drift_is_not_to_be_had(api: StandIn) -> None:
    target = {"model": "lab-small", "weight": 1, "when": {}, "cascade": None, "provider": "default"}
    alias = {"id": "quick", "version": 2, "updated_at": 1, "by": "ada", "targets": [target], "fallback": None}
    alias |= dict.fromkeys(("why", "verdict_id", "sticky_by", "promote_on"))
    first = {"version": 1, "created_at": 1, "by": "ada", "targets": [target], "deleted": False, "rolled_back_to": None}
    versions = [{**first, "version": number, "why": None} for number in (2, 1)]
    api.documents |= {"/aliases/quick": alias, "/aliases/quick/versions": {"data": versions, "has_more": False}}
    for trouble in (api.broken, api.away):
        trouble.add("/aliases/quick/drift")
        page = api.page("/aliases/quick")
        assert "Roll back to version 1" in page.text
        trouble.clear()


def test_a_fault_of_the_api_is_no_load_and_names_its_request(api: StandIn) -> None:
    api.broken |= {"/deployments", "/evals", "/models"}
    broken = api.visitor.get("/models")
    assert broken.status == 500
    assert "The API failed: it answers 500 to GET /deployments." in broken.text
    assert "req-of-the-api" in broken.text
    assert 'name="poll"' not in broken.body
    assert "busy" not in broken.text
    api.documents |= {path: {"data": [], "has_more": False} for path in ("/chat/completions", "/models")}
    api.page("/evals/new")
    pressed = api.visitor.post("/evals/new", {**cards("judge_same", model="judge"), "name": "x", "do": "make"})
    assert pressed.status == 500
    assert "Whether it was done is not known." in pressed.text


def test_a_page_with_open_work_can_be_held_still(api: StandIn) -> None:
    api.documents["/distillations/distill_1"] = begun(status="training", history=[Step(status="queued", at=1)])
    moving = api.page("/distillations/distill_1")
    assert '<a href="/distillations/distill_1?still=1">Let it stand still</a>' in moving.body
    held = api.page("/distillations/distill_1?still=1")
    assert 'http-equiv="refresh"' not in held.body
    assert 'name="poll"' not in held.body
    assert '<a href="/distillations/distill_1">Let it look again by itself</a>' in held.body
    api.documents["/distillations/distill_1"] = begun(status="failed", history=[Step(status="queued", at=1)])
    assert "again by itself" not in api.page("/distillations/distill_1").text
    assert "again by itself" not in api.page("/distillations/distill_1?still=1").text


def test_what_a_run_costs_is_told_from_the_rows_that_were_tried(api: StandIn) -> None:
    api.documents |= {path: {"data": [], "has_more": False} for path in ("/chat/completions", "/models")}
    row = {"completion_id": "c", "item": {}, "output": [], "grades": []}
    judge = {"model": "judge", "calls": 2, "estimated_usd": 0.01}
    tried = {"rows": [row, row], "models": [judge], "estimated_usd": 0.01, "cost_usd": 0}
    api.documents["POST /evals/preview"] = tried
    api.page("/evals/new")
    page = api.visitor.post("/evals/new", {**cards("judge_same", model="judge"), "name": "x", "do": "try"})
    assert "A run of 1,000 rows is about $5.00" in page.text


def test_a_model_whose_name_has_slashes_has_a_page_and_is_retired(api: StandIn) -> None:
    api.documents["/models/router%2Flab%2Fsmall"] = {"id": "router/lab/small", "object": "model", "created": 1}
    for path in ("/models/router%2Flab%2Fsmall", "/models/router/lab/small"):
        assert "router/lab/small" in api.page(path).text
        api.documents |= {key: {"data": []} for key in ("/models", "/deployments")}
        assert api.visitor.post(f"{path}/retire").status == 200
        assert api.sent.pop() == ("DELETE /models/router%2Flab%2Fsmall", None)


def test_the_filter_that_goes_along_is_shown(api: StandIn) -> None:
    nothing = {"data": [], "has_more": False}
    api.documents |= dict.fromkeys(("/chat/completions", "/evals", "/models"), nothing)
    for path in ("/evals/new", "/distillations/new"):
        shown = api.page(f"{path}?has_error=true&since=2026-11-01&text=%3Cb%3E")
        assert "has error = true since = 2026-11-01 text = <b>" in shown.text
        assert all(f'type="hidden" name="{name}"' in shown.body for name in ("has_error", "since", "text"))
        assert "Of all completions" in api.page(path).text


def test_a_page_has_as_many_images_as_it_can_hold(api: StandIn) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 39_000}}
    call = {"type": "function", "function": {"name": "find", "arguments": '"' * 4000}}
    message = {"role": "user", "content": [image] * 12, "tool_calls": [call] * 12, "reasoning": '"' * 9000}
    fields = dict.fromkeys(("reference", "untrainable", "origin", "alias", "response_format", "latency_ms", "usage"))
    stored = {"id": "c", "created": 1, "model": "m", "metadata": {}, **fields, "choices": [{"message": message}] * 128}
    api.documents["/chat/completions/c"] = stored
    several = [{**message, "id": f"c-{number}"} for number in range(10)]
    api.documents["/chat/completions/c/messages"] = {"data": several, "has_more": True}
    page = api.page("/completions/c")
    assert page.body.count("<img") == 4
    assert "120 more answers are left out" in page.text
    assert len(page.body) < 400_000


def test_an_eval_of_many_criteria_has_pages(api: StandIn) -> None:
    criteria = [{"id": f"c{number}", "name": NAMED * 5, "type": "python", "source": '"' * 900} for number in range(300)]
    grades = [{"name": "c1", "passed": True, "score": 1.0, "sample": {"reason": '"' * 900}}] * 300
    item = {"id": "i", "status": "pass", "results": grades, "datasource_item": {}, "sample": {}}
    api.documents["/evals/eval_1"] = {"id": "eval_1", "name": "n", "testing_criteria": criteria, "created_at": 1}
    api.documents["/evals"] = {"data": [api.documents["/evals/eval_1"]] * 20, "has_more": False}
    api.documents["/evals/eval_1/runs"] = {"data": [], "has_more": False}
    run = {"id": "r1", "name": "n", "model": "m", "status": "completed", "error": None, "paused": None, "warnings": []}
    api.documents["/evals/eval_1/runs/r1"] = {
        **run,
        **dict.fromkeys(("statistics", "power", "cost_usd", "call_cost_usd", "latency_ms")),
    }
    api.documents["/evals/eval_1/runs/r1/output_items"] = {"data": [item] * 20, "has_more": False}
    for path in ("/evals", "/evals/eval_1", "/evals/eval_1/runs/r1"):
        page = api.page(path)
        assert len(page.body) < 200_000, path
        assert "more are left out here" in page.text


def test_a_page_that_lambda_would_not_let_through_is_refused_in_words(
    api: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.documents["/evals"] = {"data": [{"id": "e", "name": "n" * 80, "testing_criteria": [], "created_at": 1}] * 40}
    api.documents["/evals"]["has_more"] = False
    monkeypatch.setattr(edge, "MAX_ANSWER", 4000)
    page = api.visitor.get("/evals")
    assert (page.status, "more than a page can show" in page.text) == (413, True)


def test_a_filter_that_no_form_offers_stays(api: StandIn) -> None:
    api.documents["/chat/completions"] = {"data": [], "has_more": False}
    assert '<option value="odd" selected>' in api.page("/completions?finish_reason=odd").body
    stop = api.page("/completions?finish_reason=stop").body
    assert stop.count('<option value="stop" selected>') == 1
