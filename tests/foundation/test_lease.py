import pytest

from foundation import lease, table
from foundation.errors import RetryLater

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves; milliseconds."""
    now = [1_000_000]
    monkeypatch.setattr(lease, "now_ms", lambda: now[0])
    return now


def taken(context, name="chunk", pk="run"):
    try:
        with lease.held(pk, name, context):
            return True
    except RetryLater:
        return False


def test_one_holder_at_a_time(context):
    with lease.held("run", "chunk", context):
        assert not taken(context)
        assert not taken(context)
    assert taken(context)
    assert taken(context)


def test_leases_of_other_work_do_not_meet(context):
    with lease.held("run", "chunk", context):
        assert taken(context, name="other")
        assert taken(context, pk="other")


def test_a_failed_holder_lets_go_and_its_error_surfaces(context):
    with pytest.raises(ZeroDivisionError), lease.held("run", "chunk", context):
        1 / 0  # noqa: B018 - the work fails
    assert taken(context)


def test_who_was_refused_did_not_touch_the_lease(context):
    with lease.held("run", "chunk", context):
        before = table.get("run", "LEASE#chunk")
        assert not taken(context)
        assert table.get("run", "LEASE#chunk") == before


@pytest.fixture
def killed(context):
    """A holder that never lets go; it does so after the test, lest it should in the middle of another."""
    holder = lease.held("run", "chunk", context)
    yield holder
    holder.__exit__(None, None, None)


def test_a_killed_holder_blocks_until_its_function_would_have_ended(context, clock, killed):
    context.left_ms = 60_000
    killed.__enter__()
    clock[0] += 60_000
    assert not taken(context)
    clock[0] += 10_000
    assert taken(context)


def test_a_holder_that_comes_back_late_does_not_free_the_next_one_s_lease(context, clock):
    late = lease.held("run", "chunk", context)
    late.__enter__()
    clock[0] += context.left_ms + 10_000
    with lease.held("run", "chunk", context):
        late.__exit__(None, None, None)
        assert not taken(context)


def test_of_two_that_find_an_expired_lease_one_gets_it(context, clock, killed):
    killed.__enter__()
    clock[0] += context.left_ms + 10_000
    with lease.held("run", "chunk", context):
        assert not taken(context)
