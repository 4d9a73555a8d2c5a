"""What an honest source gets: its row, its packages, its folder, and its score or the reason why there is none."""

from __future__ import annotations

import json
import math
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isolation import run
from tests.sandbox.build import event, graded, message


def test_the_source_gets_sample_and_item_and_gives_a_score() -> None:
    source = """
    from rapidfuzz import fuzz

    def grade(sample, item):
        return fuzz.ratio(sample["output_text"], item["reference"]) / 100
    """
    answer = graded(source, sample={"output_text": "abcd"}, item={"reference": "abxx"})
    assert answer["score"] == pytest.approx(0.5)
    assert "error" not in answer


@settings(max_examples=8)
@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_rows_arrive_as_they_are(value: object) -> None:
    source = "import json\ndef grade(sample, item): return float(json.dumps(sample) == item)"
    assert graded(source, sample={"value": value}, item=json.dumps({"value": value}))["score"] == 1


@pytest.mark.parametrize(
    ("returned", "score"),
    [
        ("1", 1.0),
        ("-2.5", -2.5),
        ("10 ** 300", 1e300),
        ("numpy.float32(0.5)", 0.5),
        ("numpy.float64(0.25)", 0.25),
        ("numpy.int64(3)", 3.0),
        ("fractions.Fraction(1, 4)", 0.25),
    ],
)
def test_any_finite_number_is_a_score(returned: str, score: float) -> None:
    needed = [name for name in ("numpy", "fractions") if name in returned]
    answer = graded(f"import {', '.join(needed or ['math'])}\ndef grade(sample, item): return {returned}")
    assert answer["score"] == score


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("True", "bool"),
        ("None", "NoneType"),
        ("'1.0'", "str"),
        ("[1.0]", "list"),
        ("float('nan')", "nan"),
        ("float('inf')", "inf"),
        ("-float('inf')", "-inf"),
        ("10 ** 400", "OverflowError"),
        ("1j", "complex"),
    ],
)
def test_what_is_no_finite_number_is_no_score(returned: str, reason: str) -> None:
    assert reason in message(graded(f"def grade(sample, item): return {returned}"))


def test_an_exception_is_told_with_its_line_and_what_was_printed_before() -> None:
    source = """
    def grade(sample, item):
        print("got as far as this")
        return item["gone"]
    """
    answer = graded(source)
    assert message(answer) == "KeyError (line 4): 'gone'"
    assert answer["output"] == "got as far as this\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def grade(sample, item): return undefined", "NameError"),
        ("x = 1", "no attribute 'grade'"),
        ("def grade(sample): return 1.0", "TypeError"),
        ("import no_such_package\ndef grade(sample, item): return 1.0", "ModuleNotFoundError (line 1)"),
        ("def grade(sample, item) return 1.0", "SyntaxError"),
        ("def grade(sample, item): raise BaseException('odd')", "odd"),
        ("class E(Exception):\n def __str__(self): raise E\ndef grade(sample, item): raise E", "cannot be had"),
        ("def grade(sample, item): raise ValueError('\\ud800')", "ValueError (line 1): ?"),
    ],
)
def test_a_broken_source_is_told_why(source: str, reason: str) -> None:
    assert reason in message(graded(source))


def test_a_long_message_is_cut() -> None:
    assert len(message(graded("def grade(sample, item): raise ValueError('x' * 10 ** 7)"))) == 2000


def test_it_may_write_to_its_own_folder_which_is_gone_afterwards() -> None:
    source = """
    import os, pathlib, tempfile

    def grade(sample, item):
        pathlib.Path("deep/er").mkdir(parents=True)
        pathlib.Path("deep/er/a.txt").write_text("kept for now")
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        print(os.getcwd())
        raise ValueError(pathlib.Path("deep/er/a.txt").read_text())
    """
    answer = graded(source)
    assert "kept for now" in message(answer)
    folder = Path(answer["output"].strip())
    assert folder.parent == Path(tempfile.gettempdir())
    assert not folder.exists()


def test_dataclasses_and_threads_work() -> None:
    source = """
    from __future__ import annotations
    import asyncio, dataclasses
    from concurrent.futures import ThreadPoolExecutor

    @dataclasses.dataclass
    class Found:
        score: float

    async def later():
        await asyncio.sleep(0)
        return 0.25

    def grade(sample, item):
        with ThreadPoolExecutor(4) as threads:
            return Found(sum(threads.map(float, [0, 0.25]))).score + asyncio.run(later())
    """
    assert graded(source)["score"] == 0.5


def test_gradings_beside_each_other_do_not_meet() -> None:
    source = """
    import os, time
    def grade(sample, item):
        open("own", "w").write(str(item))
        time.sleep(0.1)
        return float(open("own").read()) + len(os.listdir(".")) - 1
    """
    events = [event(source, item=number) for number in range(6)]
    with ThreadPoolExecutor(3) as threads:
        assert [answer["score"] for answer in threads.map(run.grade, events)] == [0, 1, 2, 3, 4, 5]


def test_limits_are_those_asked_for_up_to_what_there_is() -> None:
    source = """
    import resource
    def grade(sample, item):
        return float(resource.getrlimit(resource.RLIMIT_AS)[0])
    """
    assert graded(source, memory_bytes=1 << 30)["score"] == 1 << 30
    asked = event(source, memory_bytes=1 << 40)
    assert run.grade(asked, memory_bytes=700 << 20)["score"] == 700 << 20
    assert run._limits({"wall_s": math.inf}, None).wall_s == 120


def test_a_process_that_never_got_to_the_source_is_not_its_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_CHILD", Path("/no/such/file.py"))
    with pytest.raises(ChildProcessError, match="did not get as far"):
        graded("def grade(sample, item): return 1.0")
