"""The streams of `tests/data/shapes/`: the wrapper and the importer of Bedrock's logs put each together alike."""

import json
from pathlib import Path

import pytest

from stillhouse.capturing.counts import Tally
from stillhouse.capturing.records import Packer, Seen
from stillhouse.importing import bedrock
from stillhouse.importing.source import Unmapped
from tests.client.doubles import events

CASES = {path.stem: json.loads(path.read_text()) for path in Path("tests/data/shapes").glob("stream-*.json")}
WHOLE = sorted(name for name in CASES if isinstance(CASES[name]["given"], list))


def body_of(name):
    given = CASES[name]["given"]
    return given["$json"].encode() if isinstance(given, dict) else b"".join(events(*given))


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_wrapper_keeps_what_a_stream_says_or_counts_it_as_incomplete(name):
    tally = Tally()
    line = Packer(None, tally).line(Seen(b"{}", [body_of(name)], 5, "p"))
    if "left_out" in CASES[name]:
        assert (line, tally.snapshot().incomplete) == (None, 1)
    else:
        assert json.loads(line, parse_constant=pytest.fail)["response"] == CASES[name]["expected"]


@pytest.mark.parametrize("name", WHOLE)
def test_the_importer_of_bedrock_takes_it_to_the_same_completion(name):
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    row = {"schemaType": "ModelInvocationLog", "modelId": "big", "requestId": "chatcmpl-s"}
    row |= {"input": {"inputBodyJson": asked}, "output": {"outputBodyJson": CASES[name]["given"]}}
    if "left_out" in CASES[name]:
        with pytest.raises(Unmapped, match=CASES[name]["left_out"]):
            bedrock.record_of(row, pytest.fail)
    else:
        assert bedrock.record_of(row, pytest.fail).response == CASES[name]["expected"]
