"""Review app: the addresses that the page of `review` asks for, and what they answer.

Starlette answers and Uvicorn serves: both are small, kept well, and all that a page of files and JSON needs.
"""

from collections.abc import Callable
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cardioseg.errors import CardiosegError, NoInputError, UnusableError
from cardioseg.review.case_document import case_document
from cardioseg.review.opened_case import OpenedCase
from cardioseg.review.request_guard import API, Application, RequestGuard
from cardioseg.review.reviewed_results import ReviewedResults

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_INDEX = "index.html"
_NOT_FOUND, _CONFLICT = 404, 409


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
            return PlainTextResponse("there is no such file", _NOT_FOUND)
        return Response(page[name], media_type=_TYPES[suffix])

    def opened(request: Request) -> OpenedCase:
        return results.case(request.path_params["case_id"])

    def cases(_request: Request) -> Response:
        return JSONResponse(results.document())

    def case(request: Request) -> Response:
        return JSONResponse(case_document(opened(request)))

    def view(request: Request) -> Response:
        return JSONResponse(opened(request).images().document())

    def image(request: Request) -> Response:
        return _pixels(request, opened(request), OpenedCase.image)

    def mask(request: Request) -> Response:
        return _pixels(request, opened(request), OpenedCase.labels)

    routes = [
        Route("/", file),
        Route("/page/{name}", file),
        Route(f"{API}cases", _in_words(cases)),
        Route(f"{API}cases/{{case_id}}", _in_words(case)),
        Route(f"{API}cases/{{case_id}}/images", _in_words(view)),
        Route(f"{API}cases/{{case_id}}/images/{{phase:int}}", _in_words(image)),
        Route(f"{API}cases/{{case_id}}/masks/{{phase:int}}", _in_words(mask)),
    ]
    return RequestGuard(Starlette(routes=routes), port, token)


def _pixels(request: Request, case: OpenedCase, read: Callable[[OpenedCase, int], bytes]) -> Response:
    """The pixels of a phase of the case as the page knows it: never those of a mask that replaced it meanwhile."""
    phase = request.path_params["phase"]
    if request.query_params.get("version", case.version) != case.version:
        raise UnusableError(f"{case.folder.case_id} was changed meanwhile", "reload it")
    if phase >= case.mask.phases:
        raise NoInputError("there is no such phase")
    return Response(read(case, phase), media_type="application/octet-stream")


def _in_words(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """The same, with errors as texts for the page."""

    def answered(request: Request) -> Response:
        try:
            return answer(request)
        except CardiosegError as error:
            document = {"message": error.message, "hint": error.hint}
            return JSONResponse(document, _NOT_FOUND if isinstance(error, NoInputError) else _CONFLICT)

    return answered
