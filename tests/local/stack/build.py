"""What tests of the stack's processes begin with, and how they wait."""

import time

from local.stack.info import StackInfo

INFO = StackInfo(
    api_url="http://127.0.0.1:1/v1",
    gateway_url="http://127.0.0.1:1/g/v1",
    api_key="sk-sh-first-x",
    endpoint_url="http://127.0.0.1:1",
    lab_url="http://127.0.0.1:2/v1",
    fakes_url="http://127.0.0.1:4",
    pages_url="http://127.0.0.1:3/v1",
    notifications="notifications.jsonl",
    region="us-east-1",
    resources={"TopicArn": "arn:aws:sns:us-east-1:0:t"},
    stack_name="s",
    pid=1,
    sources="a",
    processes="b",
)


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
