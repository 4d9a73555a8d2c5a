import httpx2
import pytest

from local.demo.lab import Lab
from local.demo.waiting import DemoFailed


def test_answers_come_in_the_rows_order_with_their_latency(make_row):
    def echo(request):
        question = httpx2.Response(200, content=request.content).json()["messages"][0]["content"]
        return httpx2.Response(200, json={"id": question, "model": "big"})

    rows = [make_row(f"text {number}") for number in range(100)]
    counted = []
    answers = Lab("http://lab/v1", httpx2.MockTransport(echo)).answers("big", rows, counted.append)
    assert [answer.response["id"] for answer in answers] == [f"text {number}" for number in range(100)]
    assert [answer.row for answer in answers] == rows
    assert all(answer.latency_ms >= 0 for answer in answers)
    assert sum(counted) == 100


def test_recordings_and_schooling_go_to_the_labs_root(fake, make_row):
    lab, row = fake.lab(), make_row(answers={"big": "yes"})
    counted = []
    lab.load_recordings([row], counted.append)
    lab.school("lab-large", [row])
    assert counted == [1]
    assert fake.calls == [
        ("POST", "/lab/recordings", [{"messages": row.prompt(), "answers": {"big": "yes"}}]),
        (
            "POST",
            "/lab/models",
            {"id": "lab-large", "examples": [{"messages": row.prompt(), "answer": "yes"}]},
        ),
    ]


@pytest.mark.parametrize("body", ['{"error": {"message": "taken"}}', "taken", '["taken"]'])
def test_the_labs_own_words_reach_the_user(make_row, body):
    lab = Lab("http://lab/v1", httpx2.MockTransport(lambda _: httpx2.Response(409, text=body)))
    with pytest.raises(DemoFailed, match=r"answered 409 at /lab/models: .*taken"):
        lab.school("lab-large", [make_row()])
