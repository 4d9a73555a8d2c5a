"""The fakes of AWS's trainers for these tests; see `tests/fakes.py`."""

from tests.fakes import aws_trainers, fakes_server  # noqa: F401 - fixtures
