"""Page server: serves the page of `review` on this machine until it is stopped."""

import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from cardioseg.errors import ResourceError, reason_of
from cardioseg.results.folder import ResultsFolder
from cardioseg.review.request_guard import Application
from cardioseg.review.review_app import create_app
from cardioseg.review.reviewed_results import ReviewedResults

_LOCAL = "127.0.0.1"
_SECRET_BYTES = 24
_HEADERS_BYTES = 16 * 1024
_END_S = 1  # that requests may still take when the server ends


def serve(folder: ResultsFolder, port: int, announce: Callable[[str], None], *, is_read_only: bool) -> None:
    """Serve a results folder until Ctrl-C.

    Args:
        folder: written by `predict`.
        port: to listen on; 0 is any free one.
        announce: called with the address of the page, which contains a new secret at each start.
        is_read_only: whether the page only shows the results.

    Raises:
        NoInputError: the folder holds no results.
        ResourceError: the port is in use, or not allowed.
    """
    with serving(folder, port, is_read_only=is_read_only) as (address, thread):
        announce(address)
        thread.join()


@contextmanager
def serving(folder: ResultsFolder, port: int = 0, *, is_read_only: bool = False) -> Iterator[tuple[str, Thread]]:
    """Serve a results folder in a thread, which ends with the context; yield the page's address and the thread.

    Raises:
        NoInputError: the folder holds no results.
        ResourceError: the port is in use, or not allowed.
    """
    results = ReviewedResults(folder, is_read_only=is_read_only)
    with _listening(port) as listener:
        port, token = listener.getsockname()[1], secrets.token_urlsafe(_SECRET_BYTES)
        server = uvicorn.Server(_config(create_app(results, port, token)))
        # A connection that comes while it ends meets a closed socket, which asyncio would print a traceback of.
        logging.getLogger("asyncio").addFilter(lambda _record: not server.should_exit)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://{_LOCAL}:{port}/#{token}", thread
        finally:
            server.should_exit = True
            thread.join()
            results.write_due_tables()


def _config(application: Application) -> uvicorn.Config:
    """Plain HTTP: the parser is the one that is always there, and what a page does not need is off."""
    return uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_HEADERS_BYTES,
        timeout_graceful_shutdown=_END_S,
    )


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOCAL, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ResourceError(f"port {port}: {reason_of(error)}", "give another --port, or leave it out") from None
    return listener
