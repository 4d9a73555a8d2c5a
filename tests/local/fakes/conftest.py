"""The fakes for these tests; see `tests/fakes.py`."""

from tests.fakes import fakes_bucket, fakes_server, stand  # noqa: F401 - fixtures
