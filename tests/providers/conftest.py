"""A runtime for the tests of a module, and credentials with which AWS's clients sign."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foundation import aws
from local.fakes.walker import hold
from tests.cloud import CREDENTIALS
from tests.providers import runtime as runtimes
from tests.providers.runtime import Runtime, answers


@pytest.fixture(scope="module")
def served() -> Iterator[Runtime]:
    with runtimes.running() as runtime, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        # Every request for AWS, and every answer that is made up for it, is held against AWS's own model.
        hold(aws.bedrock_runtime("us-east-1", runtime.url))
        yield runtime
    aws.bedrock_runtime.cache_clear()


@pytest.fixture
def runtime(served: Runtime) -> Runtime:
    served.will(answers())
    return served
