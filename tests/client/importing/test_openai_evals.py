"""OpenAI's evals carried over: to the real system, from a double of OpenAI's API and from files."""

from __future__ import annotations

import io
import json

import pytest
from openai import OpenAI
from typer.testing import CliRunner

from evals.files import file_key
from stillhouse import cli
from stillhouse.importing.evals.exported import ExportedOrigin
from stillhouse.importing.evals.openai_api import ApiOrigin
from stillhouse.importing.evals.openai_evals import Options, carry
from stillhouse.importing.evals.receiver import Receiver
from stillhouse.importing.stopped import Stopped
from tests.api.sdk import Transport, client_of
from tests.client.doubles import served
from tests.client.importing.build import Killed
from tests.client.importing.openai_double import JUDGE, LABEL, OpenAIEvals, eval_, item, run
from tests.client.importing.served import Served
from tests.cloud import aws_client
from tests.flow import loop
from tests.flow.system import KEY

ROWS = b'{"item": {"text": "my monitor", "label": "Hardware"}}\n{"item": {"text": "my screen", "label": "Hardware"}}\n'


@pytest.fixture
def openai():
    return OpenAIEvals()


@pytest.fixture
def origin(openai):
    with served(openai) as url:
        yield ApiOrigin(OpenAI(base_url=url, api_key="sk-openai", max_retries=0))


@pytest.fixture
def imported(system, origin):
    """Imports what OpenAI holds; the system grades while the importer waits."""

    def once(given=origin, receiver=None, **options):
        receiver = receiver or Receiver(client_of(system))
        return carry(given, receiver, Options(**options), pause=lambda _: system.settle())

    return once


@pytest.fixture
def tickets(openai):
    """An eval with a run of three rows, one of them wrong."""
    openai.evals.append(eval_())
    openai.holds(run(), item(0), item(1, "Software"), item(2), content=ROWS)
    return openai


def evals(system):
    return system.ok("GET", "/v1/evals?limit=100")["data"]


def runs(system, place=0):
    return system.ok("GET", f"/v1/evals/{evals(system)[place]['id']}/runs?limit=100")["data"]


def items(system, run):
    return system.ok("GET", f"/v1/evals/{run['eval_id']}/runs/{run['id']}/output_items?limit=100")["data"]


@pytest.mark.usefixtures("tickets")
def test_definitions_rows_and_grades_come_over(system, imported):
    judged = loop.lab_calls(system)["chat"].get("lab-judge", 0)
    report = imported()
    (made,) = evals(system)
    assert made["name"] == "Tickets"
    assert made["metadata"] == {
        "team": "mail",
        "openai_eval_id": "eval_1",
        "openai_created_at": "2025-02-11T22:55:09+00:00",
    }
    assert made["data_source_config"] == eval_()["data_source_config"]
    assert [criterion["id"] for criterion in made["testing_criteria"]] == [LABEL["id"], JUDGE["id"]]
    (run_,) = runs(system)
    assert (run_["name"], run_["model"], run_["status"]) == ("gpt-4o-mini 1", "gpt-4o-mini", "completed")
    assert run_["metadata"]["openai_run_id"] == "evalrun_1"
    assert run_["result_counts"] == {"total": 3, "passed": 2, "failed": 1, "errored": 0}
    assert run_["data_source"]["origin"]["run"]["result_counts"] == run()["result_counts"]
    first, second, _ = items(system, run_)
    assert first["datasource_item"] == {"text": "my monitor", "label": "Hardware"}
    assert first["sample"]["input"] == [{"role": "user", "content": "Label my monitor"}]
    assert first["sample"]["output"] == [{"role": "assistant", "content": "Hardware"}]
    assert (first["sample"]["model"], first["sample"]["seed"]) == ("gpt-4o-mini-2024-07-18", 42)
    assert first["sample"]["usage"]["total_tokens"] == 10
    assert [result["passed"] for result in second["results"]] == [False, True]
    assert second["results"][0]["recorded_grade"] == {"passed": False, "score": 0.0}
    assert second["results"][1]["recorded"] is True
    assert loop.lab_calls(system)["chat"].get("lab-judge", 0) == judged, "judging again would cost"
    assert report.summary().splitlines() == [
        "imported 1 eval, 1 run, 3 rows",
        "graded anew, compared with the recorded grades",
        "  string_check: 3 of 3 agree",
        "grades that stand as they were recorded",
        "  label_model: 3",
    ]


@pytest.mark.usefixtures("tickets")
def test_a_carried_run_says_how_to_sample_its_rows_again(system, imported):
    imported()
    (run_,) = runs(system)
    again = run_["data_source"]["origin"]["data_source"]
    assert again["input_messages"] == run()["data_source"]["input_messages"]
    made = system.ok("GET", f"/v1/files/{again['source']['id']}")
    assert (made["filename"], made["bytes"], made["purpose"]) == ("file-1.jsonl", len(ROWS), "evals")
    again = {**again, "model": "lab-small"}
    new = system.ok("POST", f"/v1/evals/{run_['eval_id']}/runs", {"data_source": again})
    system.settle()
    assert system.ok("GET", f"/v1/evals/{run_['eval_id']}/runs/{new['id']}")["result_counts"]["total"] == 2


@pytest.mark.usefixtures("tickets")
def test_twice_gives_one(system, imported):
    first = imported()
    before = evals(system), runs(system), system.ok("GET", "/v1/files")["data"]
    second = imported()
    assert (evals(system), runs(system), system.ok("GET", "/v1/files")["data"]) == before
    assert (second.evals, second.runs, second.evals_known, second.runs_known) == (0, 0, 1, 1)
    assert second.compared == first.compared == {"string_check": 3}
    assert second.kept == first.kept


def test_what_was_deleted_here_comes_again(system, tickets, imported):
    imported()
    (run_,) = runs(system)
    system.ok("DELETE", f"/v1/evals/{run_['eval_id']}/runs/{run_['id']}")
    assert imported().runs == 1
    assert runs(system)[0]["result_counts"]["total"] == 3
    system.ok("DELETE", f"/v1/evals/{run_['eval_id']}")
    report = imported()
    assert (report.evals, report.left) == (1, [])
    assert runs(system)[0]["result_counts"]["total"] == 3
    assert tickets.files


def test_what_is_new_at_openai_is_added_by_the_next_import(system, tickets, imported):
    imported()
    tickets.holds(run(number=2), item(0, of="evalrun_2"))
    report = imported()
    assert [run["metadata"]["openai_run_id"] for run in runs(system)] == ["evalrun_1", "evalrun_2"]
    assert (report.runs, report.runs_known) == (1, 1)


POSTS = 7
"""An eval, and for each of two runs the dataset, the rows and the run."""


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_killed_at_any_request_it_goes_on_and_makes_nothing_twice(system, openai, imported, after):
    class Dying(Transport):
        posts = 0

        def handle_request(self, request):
            self.posts += request.method == "POST"
            if self.posts == number and not after:
                raise Killed
            response = super().handle_request(request)
            if self.posts == number:
                raise Killed
            return response

    for number in range(1, POSTS + 1):
        openai.evals = [eval_(number=number)]
        for half in (10, 20):
            run_ = run(number=half + number, of=f"eval_{number}")
            openai.holds(run_, item(0, of=run_["id"]), item(1, of=run_["id"]), content=ROWS)
        with pytest.raises(Killed):
            imported(receiver=Receiver(client_of(system, transport=Dying(system))))
        assert imported().compared == {"string_check": 4}
    made = [eval_["metadata"]["openai_eval_id"] for eval_ in evals(system)]
    assert made == [f"eval_{number}" for number in range(1, POSTS + 1)]
    for place in range(POSTS):
        totals = [(run["metadata"]["openai_run_id"], run["result_counts"]["total"]) for run in runs(system, place)]
        assert totals == [(f"evalrun_{11 + place}", 2), (f"evalrun_{21 + place}", 2)]
    files = [file["filename"] for file in system.ok("GET", "/v1/files")["data"]]
    assert len(files) == len(set(files)) == 4 * POSTS


def test_more_rows_than_a_page_come_over_in_their_order(system, openai, imported):
    openai.evals.append(eval_())
    openai.holds(run(), *(item(number, str(number), label=str(number)) for number in range(230)), content=ROWS)
    report = imported()
    (run_,) = runs(system)
    assert run_["result_counts"]["passed"] == 230
    assert [item["datasource_item"]["label"] for item in items(system, run_)] == [str(n) for n in range(100)]
    assert report.rows == 230
    assert report.notes == {}


def test_a_grade_that_we_give_otherwise_is_told(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    wrong = {"name": LABEL["id"], "passed": False, "score": 0.0}
    openai.holds(run(), item(0), item(1, results=[wrong]), content=ROWS)
    lines = imported().summary().splitlines()
    (run_,) = runs(system)
    assert "  string_check: 1 of 2 agree" in lines
    assert f"  differs: 1 grade of run {run_['id']} “gpt-4o-mini 1”" in lines
    assert items(system, run_)[1]["results"][0]["recorded_grade"] == {"passed": False, "score": 0.0}


def test_what_cannot_be_graded_here_keeps_its_grades_and_is_named(system, openai, imported):
    gone = {**JUDGE, "model": "gpt-4.1"}
    unknown = {"type": "endpoint", "id": "Ours-1", "name": "Ours", "url": "https://x.test"}
    openai.evals.append(eval_(LABEL, gone, unknown))
    extra = {"name": "Ours-1", "passed": False, "score": 0.25}
    first = item(0)
    openai.holds(run(), {**first, "results": [*first["results"], extra]}, content=ROWS)
    report = imported()
    kept = evals(system)[0]["testing_criteria"][1:]
    assert [(item["type"], item["id"]) for item in kept] == [("recorded", JUDGE["id"]), ("recorded", "Ours-1")]
    assert [item["definition"] for item in kept] == [gone, unknown]
    (items_,) = items(system, runs(system)[0])
    assert [(result["passed"], result["score"]) for result in items_["results"]] == [
        (True, 1.0),
        (True, 1.0),
        (False, 0.25),
    ]
    named = dict(report.changed)
    assert "gpt-4.1" in named["eval eval_1 “Tickets”, Judged"]
    assert "only its recorded grades" in named["eval eval_1 “Tickets”, Ours"]
    assert report.kept == {"recorded": 2}


def test_a_judge_that_is_not_known_here_can_be_replaced(system, openai, imported):
    openai.evals.append(eval_({**JUDGE, "model": "gpt-4.1"}))
    openai.holds(run(), item(0), content=ROWS)
    report = imported(judge="lab-judge")
    (criterion,) = evals(system)[0]["testing_criteria"]
    assert (criterion["type"], criterion["model"], criterion["id"]) == ("label_model", "lab-judge", JUDGE["id"])
    assert "gpt-4.1" in report.changed[0][1]
    assert report.kept == {"label_model": 1}


def test_an_eval_that_is_refused_is_named_and_the_others_come(system, openai, imported):
    openai.evals += [eval_(number=1, testing_criteria=[]), eval_(LABEL, number=2)]
    openai.holds(run(of="eval_2"), item(0), content=ROWS)
    report = imported()
    assert [eval_["metadata"]["openai_eval_id"] for eval_ in evals(system)] == ["eval_2"]
    (name, why), *_ = report.left
    assert name == "eval eval_1 “Tickets”"
    assert "testing_criteria" in why


def test_all_grades_stand_or_none_where_that_is_wanted(tickets, imported):
    tickets.items["evalrun_1"] = [item(0, results=[{"name": LABEL["id"], "passed": False, "score": 0.0}])]
    assert imported(grades="all").kept == {"string_check": 1}
    tickets.evals.append(eval_(LABEL, number=2))
    tickets.holds(run(number=2, of="eval_2"), item(0, of="evalrun_2"))
    assert imported(grades="none").compared == {"string_check": 1}


def test_a_run_without_output_items_is_named_and_its_rows_are_kept(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    openai.holds(run(status="failed"), content=ROWS)
    inline = {"type": "file_content", "content": [{"item": {"label": "x"}}]}
    openai.holds(run(number=2, status="canceled", data_source={"type": "jsonl", "source": inline}))
    report = imported()
    assert runs(system) == []
    files = {file["id"]: file for file in system.ok("GET", "/v1/files")["data"]}
    assert sorted(file["filename"] for file in files.values()) == ["evalrun_2-given.jsonl", "file-1.jsonl"]
    (first, why), (second, other) = report.left
    assert (first, second) == ("run evalrun_1 “gpt-4o-mini 1”", "run evalrun_2 “gpt-4o-mini 2”")
    assert "failed, without output items; its rows are the file file-" in why
    assert "canceled" in other
    assert len(imported().left) == 2
    assert len(system.ok("GET", "/v1/files")["data"]) == 2


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_run_that_has_not_ended_is_named_and_comes_when_it_has(system, openai, imported, status):
    openai.evals.append(eval_(LABEL))
    openai.holds(run(status=status), item(0), content=ROWS)
    report = imported()
    assert runs(system) == []
    assert system.ok("GET", "/v1/files")["data"] == []
    ((name, why),) = report.left
    assert name == "run evalrun_1 “gpt-4o-mini 1”"
    assert why == f"it is {status} at its origin; import again when it has ended"
    openai.runs[0]["status"] = "completed"
    openai.items["evalrun_1"].append(item(1))
    report = imported()
    assert (report.runs, report.runs_known, report.left) == (1, 0, [])
    assert runs(system)[0]["result_counts"]["total"] == 2


def test_a_file_that_is_gone_is_named_once_and_the_rows_stand_in(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    shared = run()["data_source"]
    openai.holds(run(), item(0))
    openai.holds(run(number=2, data_source=shared), item(0, of="evalrun_2"))
    report = imported()
    assert report.left == [("file file-1", "it is gone; the rows are those of the output items")]
    for carried in runs(system):
        made = system.ok("GET", f"/v1/files/{carried['data_source']['origin']['data_source']['source']['id']}")
        assert made["filename"] == f"{carried['metadata']['openai_run_id']}.jsonl"
    assert openai.asked.count("/v1/files/file-1/content") == 1


def test_a_shared_file_is_fetched_once(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    openai.holds(run(), item(0), content=ROWS)
    openai.holds(run(number=2, data_source=run()["data_source"]), item(0, of="evalrun_2"))
    imported()
    assert openai.asked.count("/v1/files/file-1/content") == 1
    tickets = [run["data_source"]["origin"]["data_source"]["source"]["id"] for run in runs(system)]
    assert tickets[0] == tickets[1]


def test_large_rows_go_by_a_link(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    text = "x" * 1_000_000
    openai.holds(run(), *(item(number, text, label=text) for number in range(2)), content=ROWS)
    put = []

    def by_link(url, content, size):
        body = content.read()
        assert len(body) == size
        (known,) = [file for file in system.ok("GET", "/v1/files")["data"] if file["filename"] == "evalrun_1.jsonl"]
        assert file_key(known["id"]) in url
        aws_client("s3").put_object(Bucket="bucket", Key=file_key(known["id"]), Body=body)
        put.append(url)

    imported(receiver=Receiver(client_of(system), put=by_link))
    assert len(put) == 1
    assert runs(system)[0]["result_counts"]["passed"] == 2


def test_an_upload_that_breaks_off_stops_and_the_next_import_sends_it_again(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    openai.holds(run(), item(0, "x" * 3_600_000), content=ROWS)

    def broken(url, content, size):
        raise ConnectionResetError(url, content, size)

    with pytest.raises(Stopped, match=r"evalrun_1\.jsonl broke off"):
        imported(receiver=Receiver(client_of(system), put=broken))

    def whole(url, content, size):
        del size
        key = url.partition("?")[0].rpartition("/files/")[2]
        aws_client("s3").put_object(Bucket="bucket", Key=f"files/{key}", Body=content.read())

    imported(receiver=Receiver(client_of(system), put=whole))
    assert runs(system)[0]["result_counts"]["total"] == 1
    assert [file["filename"] for file in system.ok("GET", "/v1/files")["data"]].count("evalrun_1.jsonl") == 1


def test_samples_of_every_shape(system, openai, imported):
    check = {**LABEL, "input": "{{ sample.output_json.label }}", "reference": "Hardware"}
    openai.evals.append(eval_(check))
    asked = {**run()["data_source"], "sampling_params": {"response_format": {"type": "json_schema"}}}
    right = [{"name": check["id"], "passed": True, "score": 1.0}]
    parts = [{"type": "output_text", "text": '{"label": '}, {"type": "output_text", "text": '"Hardware"}'}]
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function"}]}
    answer = {"role": "assistant", "content": '{"label": "Hardware"}'}
    trajectory = [call, {"role": "tool", "content": "{}"}, answer]
    failed = {"error": {"code": "x", "message": "Response input item missing role"}, "output": []}
    base = item(0)["sample"]
    openai.holds(
        run(data_source=asked),
        item(0, sample={**base, "output": [{"role": "assistant", "content": parts}]}, results=right),
        item(1, sample={**base, "output": trajectory}, results=right),
        item(2, sample=failed, results=[]),
        item(
            3, results=[{"name": "Gone-1", "passed": True, "score": 1}, {"name": "Match", "passed": None, "score": 2}]
        ),
        content=ROWS,
    )
    report = imported()
    first, two, three, four = items(system, runs(system)[0])
    assert first["sample"]["output"][0]["content"] == '{"label": "Hardware"}'
    assert [first["status"], two["status"]] == ["pass", "pass"]
    assert [message["role"] for message in two["sample"]["output"]] == ["assistant", "assistant", "tool"]
    assert three["errored"]
    assert "Response input item missing role" in three["sample"]["error"]["message"]
    assert four["status"] == "fail", "no JSON has no label"
    assert report.compared == {"string_check": 2}
    assert report.notes == {
        "a sample of several messages: the last answer is graded": 1,
        "a grade of no criterion of its eval: left out": 1,
        "a grade that is neither pass nor fail: left out": 1,
    }


def test_tools_that_only_openai_has_are_named(system, openai, imported):
    openai.evals.append(eval_(LABEL, data_source_config={"type": "logs", "metadata": {"use": "x"}, "schema": {}}))
    source = {"type": "responses", "metadata": {"use": "x"}}
    tools = [{"type": "file_search", "vector_store_ids": ["v"]}, {"type": "function", "name": "f"}]
    asked = {"type": "responses", "source": source, "model": "gpt-4.1", "sampling_params": {"tools": tools}}
    openai.holds(run(data_source=asked), item(0))
    report = imported()
    assert evals(system)[0]["data_source_config"]["metadata"] == {"use": "x"}
    assert runs(system)[0]["result_counts"]["passed"] == 1
    ((name, how),) = report.changed
    assert name == "run evalrun_1 “gpt-4o-mini 1”"
    assert "file_search" in how


def test_metadata_makes_room_for_the_origin(system, openai, imported):
    openai.evals.append(eval_(LABEL, metadata={f"k{number:02}": "v" for number in range(16)}))
    report = imported()
    metadata = evals(system)[0]["metadata"]
    assert len(metadata) == 16
    assert metadata["openai_eval_id"] == "eval_1"
    assert "k15" in report.changed[0][1]


# ---------------------------------------------------------------- files


def line(place, **fields):
    return {
        "run_id": "evalrun_9",
        "data_source_idx": place,
        "item": {"input": "How do I unsubscribe?"},
        "grades": {"Relevance": 6, "Match": 1},
        "grader_samples": {"Relevance": {"outputs": [{"role": "assistant", "content": '{"result": 6}'}]}},
        "passes": {"Relevance": place == 0, "Match": True},
        **fields,
    }


def test_a_dashboards_export_keeps_its_grades_without_a_definition(system, imported, tmp_path):
    sample = {
        "trajectory": [{"role": "user", "content": "How?"}],
        "outputs": [{"role": "assistant", "content": "So."}],
        "finish_reason": "stop",
        "sampled_model_name": "gpt-4.1",
        "token_usage": {"total_tokens": 10, "completion_tokens": 2, "prompt_tokens": 8, "cached_tokens": 1},
    }
    rows = [line(0, sample=sample), line(1)]
    path = tmp_path / "eval_items_tickets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = imported(ExportedOrigin(path))
    (made,) = evals(system)
    assert made["metadata"] == {"openai_eval_id": "eval_items_tickets"}
    assert [(criterion["type"], criterion["name"]) for criterion in made["testing_criteria"]] == [
        ("recorded", "Match"),
        ("recorded", "Relevance"),
    ]
    first, second = items(system, runs(system)[0])
    assert {result["score"] for result in first["results"]} == {1.0, 6.0}
    assert first["results"][1]["sample"]["outputs"][0]["content"] == '{"result": 6}'
    assert [first["status"], second["status"]] == ["pass", "fail"]
    assert (first["sample"]["model"], first["sample"]["usage"]["total_tokens"]) == ("gpt-4.1", 10)
    assert second["sample"]["output"] == []
    assert report.kept == {"recorded": 4}
    assert "no definition" in report.changed[0][1]
    assert imported(ExportedOrigin(path)).evals == 0


def test_a_folder_of_saved_answers_is_as_good_as_the_api(system, imported, tmp_path):
    """Pages as curl saves them, one of them twice; a dashboard's export of the same eval; the uploaded file."""
    listed = {"object": "list", "has_more": False}
    (tmp_path / "evals.json").write_text(json.dumps({**listed, "data": [eval_(LABEL, JUDGE)]}, indent=2))
    (tmp_path / "runs.json").write_text(json.dumps(run()))
    for name in ("items.json", "items again.json"):
        page = {**listed, "data": [item(0), item(1, "Software")]}
        (tmp_path / name).write_text(json.dumps(page, indent=1))
    exported = line(0, grades={"Match": 1, "Judged": 1}, passes={"Match": True, "Judged": True}, grader_samples={})
    (tmp_path / "eval_items_1.jsonl").write_text(json.dumps(exported) + "\n")
    (tmp_path / "file-1.jsonl").write_bytes(ROWS)
    (tmp_path / "notes.json").write_text('{"object": "else"}')
    report = imported(ExportedOrigin(tmp_path))
    assert [eval_["metadata"]["openai_eval_id"] for eval_ in evals(system)] == ["eval_1"]
    made = {run["metadata"]["openai_run_id"]: run for run in runs(system)}
    assert {name: suite["result_counts"]["total"] for name, suite in made.items()} == {"evalrun_1": 2, "evalrun_9": 1}
    assert made["evalrun_9"]["data_source"]["recorded_grades"] == "all", "it came without samples"
    assert made["evalrun_1"]["data_source"]["recorded_grades"] == "judged"
    known = system.ok("GET", f"/v1/files/{made['evalrun_1']['data_source']['origin']['data_source']['source']['id']}")
    assert known["filename"] == "file-1.jsonl"
    assert report.left == [("notes.json", "holds something that is no eval, run, output item or row")]
    assert report.compared == {"string_check": 2}


def test_only_the_evals_that_are_wanted_come_from_files(system, tmp_path, monkeypatch):
    listed = {"object": "list", "data": [eval_(LABEL, number=1), eval_(LABEL, number=2)]}
    (tmp_path / "evals.json").write_text(json.dumps(listed))
    monkeypatch.setenv("STILLHOUSE_API_KEY", KEY)
    with served(Served(system)) as here:
        arguments = ["import", "openai-evals", "--to", here, "--from", str(tmp_path), "--eval", "eval_2"]
        result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.stderr
    assert [eval_["metadata"]["openai_eval_id"] for eval_ in evals(system)] == ["eval_2"]


def test_files_without_evals_and_broken_ones_are_said(tmp_path):
    (tmp_path / "x.json").write_text('{"object": "else"}')
    with pytest.raises(Stopped, match="no eval, run or output item"):
        ExportedOrigin(tmp_path)
    (tmp_path / "x.json").write_text('{"object": "eval",\n')
    with pytest.raises(Stopped, match=r"x\.json cannot be read"):
        ExportedOrigin(tmp_path)


# ---------------------------------------------------------------- failures and the command


def test_openai_away_stops_and_says_where(system, openai, imported):
    openai.evals.append(eval_(LABEL))
    openai.runs.append(run())
    openai.answer = lambda *_: (503, "application/json", [b"{}"])
    with pytest.raises(Stopped, match="it answers 503"):
        imported()
    assert evals(system) == []


def test_a_key_that_may_not_write_stops(system, tickets, imported):
    made = system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read"]})
    with pytest.raises(Stopped, match="refuses the key"):
        imported(receiver=Receiver(client_of(system, key=made["key"])))
    assert tickets.asked


def test_the_command(system, tickets, monkeypatch):
    tickets.holds(run(number=2, status="failed"), content=ROWS)
    monkeypatch.setenv("STILLHOUSE_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    with served(Served(system)) as here, served(tickets) as there:
        arguments = ["import", "openai-evals", "--to", here, "--base-url", there]
        result = CliRunner().invoke(cli.app, arguments)
        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "imported 1 eval, 1 run, 3 rows")
        assert "string_check: 3 of 3 agree" in result.stdout
        again = CliRunner().invoke(cli.app, [*arguments, "--strict", "--eval", "eval_1"])
        assert (again.exit_code, again.stdout.splitlines()[1]) == (1, "1 eval and 1 run were here already")
        assert "run evalrun_2" in again.stdout
        monkeypatch.delenv("OPENAI_API_KEY")
        missing = CliRunner().invoke(cli.app, arguments)
        assert missing.exit_code == 1
        assert "OPENAI_API_KEY" in missing.stderr


def test_what_the_receiver_sends_is_told_apart_by_its_content(system):
    receiver = Receiver(client_of(system))
    first, other = (receiver.upload("x.jsonl", io.BytesIO(b'{"item": {"n": %d}}\n' % number)) for number in (1, 2))
    assert first != other
    assert receiver.upload("x.jsonl", io.BytesIO(b'{"item": {"n": 1}}\n')) == first
