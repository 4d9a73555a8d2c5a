import json

import pytest

from local.samples import mail
from local.stack import teacher
from local.stack.errors import StackError


@pytest.fixture
def lab(monkeypatch):
    """A lab that lists what it was taught."""
    taught = []

    class Answer:
        def __init__(self, document):
            self.document = document

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self):
            return json.dumps(self.document).encode()

    def urlopen(url, data=None, timeout=0):  # noqa: ARG001
        if data is None:
            return Answer({"data": [{"id": lesson["id"]} for _, lesson in taught]})
        taught.append((url, json.loads(data)))
        return Answer({})

    monkeypatch.setattr(teacher.urllib.request, "urlopen", urlopen)
    rows = mail.schooling(size=3)
    monkeypatch.setattr(mail, "schooling", lambda: rows)
    return taught


def test_the_teacher_learns_once_what_people_filed(lab):
    assert teacher.prepare_teacher("http://lab/v1")
    assert not teacher.prepare_teacher("http://lab/v1")
    [(url, lesson)] = lab
    assert (url, lesson["id"], len(lesson["examples"])) == ("http://lab/lab/models", "lab-large", 3)
    assert {example["answer"] for example in lesson["examples"]} <= set(mail.queue_names())


def test_a_lab_that_does_not_answer_is_said():
    with pytest.raises(StackError, match="the lab did not learn its teacher"):
        teacher.prepare_teacher("http://127.0.0.1:1/v1")
