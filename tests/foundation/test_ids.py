import hashlib
import time

from hypothesis import given
from hypothesis import strategies as st

from foundation.ids import derived_id, new_id, now, now_ms, ulid_minute

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_the_clock_is_utc_and_whole():
    before = time.time()
    assert before * 1000 - 1 <= now_ms() <= (before + 1) * 1000
    assert before - 1 <= now() <= before + 1


def test_a_new_id_is_its_prefix_and_a_ulid_of_this_minute():
    ids = [new_id("eval_") for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(one.startswith("eval_") and len(one) == 31 for one in ids)
    assert abs(ulid_minute(ids[0].removeprefix("eval_")) - time.time() // 60) <= 1


def test_what_is_no_ulid_has_no_minute():
    for text in ("", "x", "U" * 26, "0" * 25, "0" * 27):
        assert ulid_minute(text) is None


@given(st.lists(st.text(), min_size=1))
def test_a_derived_id_is_the_first_130_bits_of_the_hash_of_its_cause(cause):
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256("\x1f".join(cause).encode()).digest())[:130]
    expected = "".join(CROCKFORD[int(bits[at : at + 5], 2)] for at in range(0, 130, 5))
    assert derived_id("ds_", *cause) == f"ds_{expected}"


def test_parts_of_a_cause_do_not_run_into_each_other():
    assert derived_id("", "ab", "c") != derived_id("", "a", "bc")
    assert derived_id("", "run", 1) == derived_id("", "run", "1")
