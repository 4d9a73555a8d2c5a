import socket

from local.stack.ports import HOST, free_port


def test_the_preferred_port_where_it_is_free():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    assert free_port(port) == port


def test_another_one_where_it_is_taken():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = free_port(port)
    assert other not in {0, port}
