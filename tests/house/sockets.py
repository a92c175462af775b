"""No test reaches a network. Those marked `engine` may talk to this machine, where the local engine listens."""

import pytest
import pytest_socket


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close the network before each test."""
    if item.get_closest_marker("engine"):
        pytest_socket.enable_socket()
        pytest_socket.socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)
    else:
        pytest_socket.disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    """Leave the interpreter as it was."""
    pytest_socket.enable_socket()
    pytest_socket._remove_restrictions()
