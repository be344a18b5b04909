from __future__ import annotations

import socket
import threading

import pytest

from rotation.embedded.listening import PortTaken, bound, free_port, listen, url_of


def test_a_taken_port_is_one_clear_line():
    with listen("127.0.0.1", 0) as owner:
        port = owner.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} of .* cannot be used: Address already in use. Set PORT"):
            listen("127.0.0.1", port)


def test_a_port_about_to_be_free_is_waited_for():
    owner = listen("127.0.0.1", 0)
    port = owner.getsockname()[1]
    leaving = threading.Timer(0.3, owner.close)
    leaving.start()
    try:
        with listen("127.0.0.1", port, patience=30) as ours:
            assert ours.getsockname()[1] == port
    finally:
        leaving.join()


def test_a_host_that_does_not_exist_says_so():
    with pytest.raises(PortTaken, match="cannot be used"):
        listen("no-such-host.invalid", 8000)


def test_a_port_just_left_by_connections_can_be_taken_again():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), first.accept()[0] as ours:
            ours.shutdown(socket.SHUT_RDWR)
    with listen("127.0.0.1", port) as second:
        assert second.getsockname()[1] == port


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])
def test_the_address_shown_is_one_a_browser_can_open(host, shown):
    with bound(host, 0) as tcp:
        assert url_of(tcp) == f"http://{shown}:{tcp.getsockname()[1]}"


def test_a_kept_port_is_kept_while_it_is_free():
    port = free_port(None)
    assert free_port(port) == port
    with listen("127.0.0.1", port):
        assert free_port(port) != port


def test_a_number_that_is_no_port_says_so():
    with pytest.raises(PortTaken, match="PORT=70000 is not a port"):
        listen("127.0.0.1", 70000)


@pytest.mark.parametrize("nonsense", [0, 99_999_999])
def test_a_kept_port_that_is_none_is_replaced(nonsense):
    assert 0 < free_port(nonsense) < 65536
