import hashlib
import time
from types import SimpleNamespace

import pytest

from foundation import aws, keys, lease, table
from foundation.api_keys import ApiKey
from foundation.errors import Conflict, Forbidden, RetryLater, Unauthorized

pytestmark = pytest.mark.usefixtures("cloud")

FIRST = "Bearer sk-sh-first-0123456789abcdef"


def stored(key_id, scopes, **fields):
    token = f"sk-sh-{key_id}-a-secret-with-dashes"
    digest = hashlib.sha256(token.encode()).hexdigest()
    table.put({"pk": "KEY", "sk": key_id, "sha256": digest, "scopes": scopes, **fields})
    return f"Bearer {token}"


def refused(authorization, scope="read"):
    with pytest.raises(Unauthorized) as refusal:
        keys.check(authorization, scope)
    assert refusal.value.code == "invalid_api_key"
    return refusal.value


def test_the_first_key_may_do_everything():
    for scope in ("capture", "infer", "read", "write", "admin"):
        assert keys.check(FIRST, scope).id == "first"


def test_only_the_hash_of_the_first_key_is_kept():
    keys.check(FIRST, "read")
    row = table.get("KEY", "first")
    assert row["sha256"] == hashlib.sha256(FIRST.removeprefix("Bearer ").encode()).hexdigest()
    assert "0123456789abcdef" not in str(row["sk"]) + row["scopes"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_as_http_reads_it(scheme):
    assert keys.check(f" {scheme} {FIRST.removeprefix('Bearer ')} ", "read").id == "first"


def test_once_stored_the_table_alone_decides(monkeypatch):
    keys.check(FIRST, "read")
    keys._trusted.clear()
    monkeypatch.setattr(aws, "secret", None)
    assert keys.check(FIRST, "read").id == "first"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk-sh-",
        "Bearer sk-sh-first",
        "Bearer sk-sh-first-",
        "Bearer sk-proj-1-2",
        FIRST[7:],
    ],
)
def test_no_key_says_what_to_send(authorization):
    assert "Authorization: Bearer sk-sh-" in str(refused(authorization))


@pytest.mark.parametrize(
    ("authorization", "wrong"),
    [
        (None, "No API key was given."),
        ("Bearer ", "No API key was given."),
        ("Bearer sk-proj-secret", "This is no key of Stillhouse, whose keys begin with 'sk-sh-'"),
        ("Bearer eyJhbGciOi.secret.x", "This is no key of Stillhouse"),
        ("Basic dXNlcjpzZWNyZXQ=", "does not begin with 'Bearer'"),
        ("sk-sh-first-secret", "does not begin with 'Bearer'"),
        ("Bearer sk-sh-first", "This API key is not whole."),
    ],
)
def test_a_header_of_another_form_is_told_what_is_wrong_and_not_repeated(authorization, wrong):
    message = str(refused(authorization))
    assert message.startswith(wrong) or wrong in message.partition(". ")[0]
    assert "secret" not in message.replace("is in the secret that", "")


@pytest.mark.parametrize(
    ("headers", "given"),
    [
        ({"authorization": FIRST}, FIRST),
        ({"api-key": FIRST.removeprefix("Bearer ")}, FIRST),
        ({"api-key": "other", "authorization": FIRST}, FIRST),
        ({"api-key": ""}, None),
        ({}, None),
    ],
)
def test_azure_s_header_brings_a_key_too(headers, given):
    assert keys.given(headers) == given


@pytest.mark.parametrize("token", ["sk-sh-first-wrong", "sk-sh-first-0123456789abcdeF", "sk-sh-other-0123456789abcdef"])
def test_a_wrong_secret_or_an_unknown_key(token):
    keys.check(FIRST, "read")
    error = refused(f"Bearer {token}")
    assert token not in str(error)


def test_a_wrong_secret_for_the_first_key_before_its_first_use():
    refused("Bearer sk-sh-first-wrong")
    assert keys.check(FIRST, "read").id == "first"


def test_scopes():
    reader = stored("ci", "read capture")
    assert keys.check(reader, "read") == keys.Key("ci", frozenset({"read", "capture"}))
    assert keys.check(reader, "capture").id == "ci"
    for scope in ("write", "infer", "admin"):
        with pytest.raises(Forbidden) as refusal:
            keys.check(reader, scope)
        assert refusal.value.code == "insufficient_permissions"
        assert scope in str(refusal.value)


def test_a_key_without_scopes_may_do_nothing():
    with pytest.raises(Forbidden):
        keys.check(stored("none", ""), "read")


def test_several_keys_are_valid_at_once():
    first, other = stored("one", "read"), stored("two", "read")
    assert [keys.check(key, "read").id for key in (first, other, FIRST)] == ["one", "two", "first"]


def test_a_revoked_key_ends():
    refused(stored("gone", "read", revoked_at=1))


def test_a_revocation_reaches_a_running_process_within_a_minute(monkeypatch):
    key = stored("ci", "read")
    keys.check(key, "read")
    stored("ci", "read", revoked_at=1)
    monkeypatch.setattr(keys, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 61))
    refused(key)


def test_the_first_key_revoked_does_not_come_back():
    keys.check(FIRST, "read")
    table.update("KEY", "first", {"revoked_at": 1})
    keys._trusted.clear()
    refused(FIRST)
    refused(FIRST)


def test_a_known_key_costs_no_read_at_every_request(cloud):
    keys.check(FIRST, "read")
    reads = []
    cloud.on(aws.dynamodb(), "before-call.dynamodb.GetItem", lambda **_: reads.append(1))
    keys.check(FIRST, "read")
    assert reads == []


def test_a_new_key_works_and_only_its_hash_is_kept():
    key, token = keys.create(name="ci", scopes=["read", "infer"], store=True, metadata={"team": "ci"})
    assert token.removeprefix("sk-sh-").partition("-")[0] == key.id
    assert keys.check(f"Bearer {token}", "infer") == keys.Key(
        key.id, frozenset({"read", "infer"}), store=True, metadata={"team": "ci"}
    )
    secret = token.rpartition("-")[2]
    assert len(secret) == 40
    assert secret not in str(table.get("KEY", key.id))
    with pytest.raises(Forbidden):
        keys.check(f"Bearer {token}", "write")


def test_no_two_keys_are_alike():
    tokens = {keys.create(name="ci", scopes=["read"])[1] for _ in range(3)}
    assert len(tokens) == 3


def test_a_revoked_key_ends_at_once_where_it_was_revoked(context):
    key, token = keys.create(name="ci", scopes=["read"])
    keys.check(f"Bearer {token}", "read")
    keys.revoke(key.id, context)
    refused(f"Bearer {token}")
    first_time = ApiKey.load(key.id).revoked_at
    keys.revoke(key.id, context)
    assert ApiKey.load(key.id).revoked_at == first_time


def test_the_last_administrator_stays(context):
    keys.check(FIRST, "admin")
    keys.create(name="reader", scopes=["read"])
    other, token = keys.create(name="other", scopes=["read", "admin"])
    keys.revoke("first", context)
    with pytest.raises(Conflict) as refusal:
        keys.revoke(other.id, context)
    assert (refusal.value.code, refusal.value.headers) == ("last_admin_key", {"x-should-retry": "false"})
    assert keys.check(f"Bearer {token}", "admin").id == other.id


def test_administrators_cannot_revoke_each_other_at_once(context):
    keys.check(FIRST, "admin")
    other, _ = keys.create(name="other", scopes=["admin"])
    with lease.held("KEYS", "REVOKE", context), pytest.raises(RetryLater):
        keys.revoke(other.id, context)
    assert ApiKey.load(other.id).revoked_at is None


def session_of(authorization, seconds=60):
    return keys.exchanged(authorization, "read", seconds=seconds).token


def test_a_session_may_what_its_key_may():
    token = session_of(stored("reader", "read"))
    assert keys.check(f"Bearer {token}", "read").scopes == {"read"}
    with pytest.raises(Forbidden):
        keys.check(f"Bearer {token}", "write")


def test_a_session_is_no_key():
    token = session_of(FIRST)
    session_id = token.removeprefix("sk-sh-").partition("-")[0]
    assert ApiKey.find(session_id) is None
    assert [key.id for key in ApiKey.every()] == ["first"]
    assert "a session makes no other one" in refused_session(f"Bearer {token}").message.lower()


def refused_session(authorization):
    with pytest.raises(Unauthorized) as refusal:
        session_of(authorization)
    return refusal.value


def test_a_session_needs_the_scope_that_is_asked_for():
    with pytest.raises(Forbidden):
        session_of(stored("pusher", "capture"))


def test_a_session_ends_by_itself():
    refused(f"Bearer {session_of(FIRST, seconds=0)}")


def test_a_session_ends_with_its_key():
    reader = stored("reader", "read")
    token = session_of(reader)
    table.update("KEY", "reader", {"revoked_at": 1})
    refused(f"Bearer {token}")


def test_a_session_is_ended_by_its_token_alone():
    token = session_of(FIRST)
    keys.end_session(token[:-1] + ("0" if token[-1] != "0" else "1"))
    assert keys.check(f"Bearer {token}", "read").id.startswith("session_")
    keys.end_session(token)
    refused(f"Bearer {token}")
    keys.end_session(FIRST.removeprefix("Bearer "))
    assert keys.check(FIRST, "read").id == "first"
