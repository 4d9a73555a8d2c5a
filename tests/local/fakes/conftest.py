"""The fakes for these tests; see `tests/fakes.py`."""

from tests.fakes import served, stand  # noqa: F401 - fixtures
