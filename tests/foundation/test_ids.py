import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from foundation import ids
from foundation.ids import derived_id, new_id, now, now_ms, place_of, ulid_minute

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_the_clock_is_utc_and_whole():
    before = time.time()
    assert before * 1000 - 1 <= now_ms() <= (before + 1) * 1000
    assert before - 1 <= now() <= before + 1


def test_a_new_id_is_its_prefix_and_a_ulid_of_this_minute():
    made = [new_id("eval_") for _ in range(100)]
    assert len(set(made)) == 100
    assert all(new.startswith("eval_") and len(new) == 31 for new in made)
    assert abs(ulid_minute(made[0].removeprefix("eval_")) - time.time() // 60) <= 1


def test_an_id_is_what_the_ulid_library_reads():
    own = new_id("")
    theirs = ULID.from_str(own)
    assert str(theirs) == own
    assert abs(theirs.timestamp - time.time()) < 5
    assert ulid_minute(str(ULID())) == pytest.approx(time.time() // 60, abs=1)


@given(st.integers(0, 2**48 - 1))
def test_the_minute_is_that_of_the_first_48_bits(ms):
    assert ulid_minute(str(ULID.from_bytes(ms.to_bytes(6) + bytes(10)))) == ms // 60_000


def test_later_ids_sort_behind(monkeypatch):
    first = new_id("x_")
    monkeypatch.setattr(ids, "now_ms", lambda: now_ms() + 1000)
    assert first < new_id("x_")


def test_what_is_no_ulid_has_no_minute():
    for text in ("", "x", "U" * 26, "0" * 25, "0" * 27, "8" + "0" * 25, "0" * 9 + "_" + "0" * 16, "é" * 26):
        assert ulid_minute(text) is None


@given(st.lists(st.text(), min_size=1))
def test_a_derived_id_is_the_first_130_bits_of_the_hash_of_its_cause(cause):
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256("\x1f".join(cause).encode()).digest())[:130]
    expected = "".join(CROCKFORD[int(bits[at : at + 5], 2)] for at in range(0, 130, 5))
    assert derived_id("ds_", *cause) == f"ds_{expected}"


def test_parts_of_a_cause_do_not_run_into_each_other():
    assert derived_id("", "ab", "c") != derived_id("", "a", "bc")
    assert derived_id("", "run", 1) == derived_id("", "run", "1")


@pytest.mark.parametrize("number", [0, 7, 99])
def test_the_place_of_a_derived_id_is_found_again(number):
    made = derived_id("item_", "run_1", number)
    assert place_of(made, "item_", "run_1", 100) == number
    assert place_of(made, "item_", "run_1", number) is None, "beyond the end"
    assert place_of(made, "item_", "run_2", 100) is None


@pytest.mark.parametrize("foreign", ["", "item_", "item_x", "item_" + "U" * 26, "item_" + "é" * 26])
def test_what_is_no_derived_id_has_no_place(foreign):
    assert place_of(foreign, "item_", "run_1", 10) is None
