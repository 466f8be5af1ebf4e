"""Network guard: refuses, and remembers, every attempt of this process to reach anything but this machine."""

import sys
from ipaddress import ip_address
from typing import Any

attempts: list[str] = []  # since the test began


def _guard_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own report of every socket that is about to be used, whoever uses it."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]  # text or bytes where it is a file
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        address = arguments
    else:
        return
    if isinstance(address, tuple) and not _is_here(address[0]):
        attempts.append(f"{event} {address[0]!r}")
        raise PermissionError(f"tests reach no network: {attempts[-1]}")


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    try:
        return name in {None, "", "localhost"} or ip_address(str(name)).is_loopback
    except ValueError:
        return False


sys.addaudithook(_guard_network)
