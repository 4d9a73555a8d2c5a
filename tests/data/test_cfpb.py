import csv
import json

import pytest

from local.samples.rows import Row
from tests.data import cfpb

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not cfpb.FOLDER.is_dir(), reason="needs ../shared/data/cfpb_complaints_14llm"),
]


@pytest.fixture(scope="module")
def rows():
    return list(cfpb.rows(cfpb.FOLDER))


def test_each_narrative_occurs_once_and_odd_rows_are_the_test_set(rows):
    assert len(rows) == 984
    assert len({row["messages"][1]["content"] for row in rows}) == 984
    assert [row["metadata"]["split"] for row in rows] == ["train", "test"] * 492


def test_rows_are_what_the_demo_reads(rows):
    for row in rows:
        Row.model_validate(row)
    first = rows[0]
    assert first["reference"] == '{"product": "debt_collection"}'
    assert first["answers"]["gpt-4o"] == '{"product": "credit_reporting"}'
    assert first["messages"][1]["content"].startswith("You are an AI assistant specializing")
    assert "Complaint: hi team visited doctor" in first["messages"][1]["content"]
    assert len(first["answers"]) == 14


def test_accuracies_of_all_lines_are_the_published_ones():
    with (cfpb.FOLDER / "evaluation-results.csv").open(encoding="utf-8", newline="") as lines:
        published = {record["Model"]: float(record["Accuracy"]) for record in csv.DictReader(lines)}
    records = list(cfpb.records(cfpb.FOLDER))
    accuracy = {
        column.removesuffix("_prediction"): sum(record[column] == record["product"] for record in records) / 1_000
        for column in cfpb.MODELS
    }
    assert published.keys() & accuracy.keys() >= {"gpt_4o", "gpt_4o_mini", "gpt-4.5-preview", "gpt-o1"}
    for model in published.keys() & accuracy.keys():
        assert accuracy[model] == pytest.approx(published[model], abs=5e-4)


def test_answers_of_the_kept_rows_are_those_of_their_columns(rows):
    records = {record["id"]: record for record in cfpb.records(cfpb.FOLDER)}
    for row in rows:
        record = records[row["metadata"]["complaint"]]
        for column, model in cfpb.MODELS.items():
            assert json.loads(row["answers"][model]) == {"product": record[column]}
