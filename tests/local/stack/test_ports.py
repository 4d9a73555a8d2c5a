import socket

import pytest

from local.stack.errors import StackError
from local.stack.ports import HOST, Ports, free_port, kept_ports


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_the_preferred_port_where_it_is_free():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    assert free_port(port) == port


def test_another_one_where_it_is_taken(taken):
    assert free_port(taken) not in {0, taken}


def test_the_ports_of_the_first_start_are_those_of_every_later_one(tmp_path):
    file = tmp_path / "state" / "ports.json"
    first = kept_ports(file)
    assert kept_ports(file) == first
    assert len({first.emulator, first.lab, first.pages}) == 3


def test_a_kept_port_that_is_taken_is_said_with_the_remedy(tmp_path, taken):
    file = tmp_path / "ports.json"
    file.write_text(f'{{"emulator": {taken}, "lab": 1, "pages": 2}}')
    with pytest.raises(StackError, match=rf"Port {taken}, where the emulator .* delete .*ports\.json"):
        kept_ports(file)
    file.unlink()
    assert isinstance(kept_ports(file), Ports)
