import json

import pytest

from local.samples.rows import Row
from tests.data import banking77

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not banking77.FOLDER.is_dir(), reason="needs ../shared/data/banking77"),
]


@pytest.fixture(scope="module")
def rows():
    return list(banking77.rows(banking77.FOLDER))


def test_every_question_is_a_row_in_its_split(rows):
    splits = [row["metadata"]["split"] for row in rows]
    assert (splits.count("train"), splits.count("test")) == (10_003, 3_080)


def test_rows_are_what_the_demo_reads_and_nobody_has_answered_them(rows):
    for row in rows:
        assert Row.model_validate(row).answers == {}


def test_the_prompt_names_the_77_intents_that_occur(rows):
    categories = json.loads((banking77.FOLDER / "categories.json").read_text("utf-8"))
    assert len(categories) == 77
    assert {row["reference"] for row in rows} == set(categories)
    assert all(f'"{category}"' in rows[0]["messages"][0]["content"] for category in categories)
