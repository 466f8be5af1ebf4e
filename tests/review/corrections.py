"""Corrections as the page sends them, made from two masks, and requests to an application without a network."""

import asyncio
import json
from typing import Any

import numpy as np

from cardioseg.image.volume import Cine, Voxels
from cardioseg.review.correction import plane_of
from cardioseg.review.request_guard import Application

PORT, TOKEN = 8765, "secret"
JSON = {"content-type": "application/json"}


def correction(version: str, before: Cine | Voxels, now: Voxels, **said: Any) -> dict[str, Any]:
    """The difference of two masks (phase, slice, row, column), and what else a person said."""
    voxels = before.voxels if isinstance(before, Cine) else before
    places = np.argwhere((voxels != now).any(axis=(2, 3))).tolist()
    planes = [plane_of(phase, index, voxels[phase, index], now[phase, index]).model_dump() for phase, index in places]
    return {"version": version, "planes": planes, **said}


def ask(
    app: Application, path: str, content: Any = None, *, method: str = "", token: str = TOKEN, **headers: str
) -> tuple[int, bytes]:
    """The status and the body of an answer; with `content`, which becomes JSON unless it is bytes, it is a POST."""
    path, _, query = path.partition("?")
    named = {"host": f"127.0.0.1:{PORT}", "authorization": f"Bearer {token}"}
    named |= (JSON if content is not None else {}) | {name.replace("_", "-"): text for name, text in headers.items()}
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    scope: dict[str, Any] = {
        "type": "http", "method": method or ("GET" if content is None else "POST"), "path": path,
        "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def told(answer: tuple[int, bytes]) -> Any:
    """The JSON of an answer that must be one."""
    status, content = answer
    assert status == 200, content
    return json.loads(content)
