"""Review app: the addresses that the page of `review` asks for, and what they answer.

Starlette answers and Uvicorn serves: both are small, kept well, and all that a page of files and JSON needs.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cardioseg.errors import CardiosegError, NoInputError
from cardioseg.review.request_guard import API, Application, RequestGuard
from cardioseg.review.reviewed_results import ReviewedResults

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_INDEX = "index.html"


def create_app(results: ReviewedResults, port: int, token: str) -> Application:
    """The application that serves one results folder.

    Args:
        results: what it shows.
        port: on which the page is reached.
        token: the secret that requests for data must have.
    """
    page = {entry.name: entry.read_bytes() for entry in files("cardioseg.review").joinpath("page").iterdir()}

    def file(request: Request) -> Response:
        name = request.path_params.get("name", _INDEX)
        suffix = f".{name.rpartition('.')[2]}"
        if name not in page or suffix not in _TYPES:
            return PlainTextResponse("there is no such file", 404)
        return Response(page[name], media_type=_TYPES[suffix])

    def cases(_request: Request) -> Response:
        return JSONResponse(results.rows())

    def case(request: Request) -> Response:
        return JSONResponse(results.case(request.path_params["case_id"]).document())

    def image(request: Request) -> Response:
        opened, phase = results.case(request.path_params["case_id"]), request.path_params["phase"]
        content = opened.image(phase) if phase < opened.mask.phases else None
        return _bytes(content)

    def mask(request: Request) -> Response:
        opened, phase = results.case(request.path_params["case_id"]), request.path_params["phase"]
        return _bytes(opened.labels(phase) if phase < opened.mask.phases else None)

    routes = [
        Route("/", file),
        Route("/page/{name}", file),
        Route(f"{API}cases", cases),
        Route(f"{API}cases/{{case_id}}", _in_words(case)),
        Route(f"{API}cases/{{case_id}}/images/{{phase:int}}", _in_words(image)),
        Route(f"{API}cases/{{case_id}}/masks/{{phase:int}}", _in_words(mask)),
    ]
    return RequestGuard(Starlette(routes=routes), port, token)


def _bytes(content: bytes | None) -> Response:
    if content is None:
        return PlainTextResponse("there is no such phase", 404)
    return Response(content, media_type="application/octet-stream")


def _in_words(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """The same, with errors as texts for the page."""

    def answered(request: Request) -> Response:
        try:
            return answer(request)
        except CardiosegError as error:
            document: dict[str, Any] = {"message": error.message, "hint": error.hint}
            return JSONResponse(document, 404 if isinstance(error, NoInputError) else 409)

    return answered
