"""Request guard: only the page that this program opened, in a browser on this machine, gets an answer.

Any web site that is open in the same browser can send requests to 127.0.0.1, and a site can make its own name stand
for this address. So the name of the host, the origin and a secret are checked, and the page may load nothing from
elsewhere.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import PlainTextResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

API = "/api/"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_HEADERS_BYTES = 16 * 1024  # many times what a browser sends
_JSON = "application/json"  # no page of another origin can send it without being asked first
_FROM_THIS_PAGE = ("", "same-origin", "none")  # of sec-fetch-site; none: typed into the address bar


class RequestGuard:
    """Refuses requests that do not come from the page.

    Args:
        application: gets the requests that pass.
        port: on which it is reached.
        token: the secret that the page knows.
    """

    def __init__(self, application: Application, port: int, token: str) -> None:
        self._application, self._token = application, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; the server passes no other events on."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status, why = self._refusal(scope["method"], scope["path"], headers)
        answer: Any = PlainTextResponse(why, status) if why else self._application
        await answer(scope, receive, _with_headers(send))

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        """The status and the reason of a refusal; no reason if the request passes."""
        if sum(len(name) + len(value) for name, value in headers.items()) > _HEADERS_BYTES:
            return 431, "the headers are too long"
        host, origin = headers.get("host", ""), headers.get("origin", "")
        if host not in self._hosts:
            return 403, "this page is reached as 127.0.0.1 only"
        if origin not in ("", f"http://{host}") or headers.get("sec-fetch-site", "") not in _FROM_THIS_PAGE:
            return 403, "requests of other pages are refused"
        if method not in ("GET", "HEAD") and (method, headers.get("content-type", "")) != ("POST", _JSON):
            return 405, f"there are no such requests: what is sent must be {_JSON}"
        secret = headers.get("authorization", "").removeprefix("Bearer ")
        if path.startswith(API) and not hmac.compare_digest(secret.encode(), self._token.encode()):
            return 401, "the address lacks the secret of this start: open the address that `cardioseg review` prints"
        return 200, ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return sending
