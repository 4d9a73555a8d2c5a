"""Every id that a push takes can be listed, read, changed and deleted, whatever letters it has.
An id that could not be is refused at the door, naming the field.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.flow.system import System
from tests.hostile import acts

pytestmark = pytest.mark.usefixtures("walls")
ODD = {
    "slash": "a/b",
    "hash": "a#b",
    "question": "a?b",
    "newline": "a\nb",
    "emoji": "😀",
    "dot": ".",
    "dots": "..",
    "up": "../evals",
    "percent": "100%",
    "encoded": "a%2Fb",
    "space": " a b ",
    "plus": "a+b",
    "nul": "a\x00b",
    "tab": "a\tb",
    "quote": "\"a'b\\",
    "brackets": "<a>{b}[c]|^`",
    "messages": "x/messages",
    "wide": "übergröße",
    "tilde": "~GONE",
    "hash8": "chatcmpl-deadbeef",
    "control": "\x7f",
    "last": "\U0010ffff",
    "separator": "a\x1fb",
    "right-to-left": "a\u202eb",
    "combining": "e\u0301",
    "semicolon": "a;b=c,d&e",
    "metadata": "t:a=b#1",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_id_is_read_and_deleted_as_it_is_listed(name: str, shared: System) -> None:
    odd = ODD[name]
    status, answer = acts.push(shared, acts.record(odd, metadata={"odd": name}))
    if status == 400:
        assert answer["error"]["param"] == "response.id"
        return
    assert answer["ids"] == [odd]
    listed = shared.ok("GET", f"/v1/chat/completions?metadata[odd]={name}")["data"]
    assert [completion["id"] for completion in listed] == [odd]
    for path in (acts.path_of(odd), acts.path_of(odd, "messages"), f"/v1/lineage/{quote(odd, safe='')}"):
        status, read = shared.call("GET", path)
        assert status == 200, (path, read)
    assert shared.call("POST", acts.path_of(odd), {"metadata": {"odd": name, "seen": "yes"}})[0] == 200
    assert shared.ok("GET", acts.path_of(odd))["metadata"]["seen"] == "yes"
    status, page = shared.call("GET", f"/v1/chat/completions?after={quote(odd, safe='')}")
    assert status == 200, page
    status, gone = shared.call("DELETE", acts.path_of(odd))
    assert (status, gone.get("id")) == (200, odd)
    assert shared.call("GET", acts.path_of(odd))[0] == 404


@pytest.mark.parametrize("name", [name for name, odd in ODD.items() if not set(odd) & set("/?#%") and name != "nul"])
def test_an_odd_id_is_read_behind_a_front_door_that_decodes(name: str, shared: System) -> None:
    """The HTTP API gives the path as it is meant, a function URL as it was sent."""
    odd = f"{ODD[name]}-meant"
    status, answer = acts.push(shared, acts.record(odd))
    if status == 400:
        assert answer["error"]["param"] == "response.id"
        return
    event = acts.event_of("GET", f"/v1/chat/completions/{odd}")
    status, read = acts.answered(event)
    assert (status, read.get("id")) == (200, odd)


@pytest.mark.parametrize("odd", ["..", "a\x00b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_an_odd_id_of_an_own_object_is_simply_not_found(odd: str, shared: System) -> None:
    for kind in ("evals", "files", "filters", "retention_policies", "distillations", "datasets", "keys"):
        status, answer = shared.call("GET", f"/v1/{kind}/{quote(odd, safe='')}")
        assert (status, answer["error"]["code"]) == (404, "not_found"), (kind, answer)


@pytest.mark.parametrize("length", [1_030, 2_050])
def test_a_long_id_is_simply_not_found(length: int, shared: System) -> None:
    for method, path in (("GET", "evals"), ("DELETE", "files"), ("GET", "lineage"), ("DELETE", "chat/completions")):
        status, answer = shared.call(method, f"/v1/{path}/{'i' * length}")
        assert (status, answer["error"]["code"]) == (404, "not_found"), (path, answer)
