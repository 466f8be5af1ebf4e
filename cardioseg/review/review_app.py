"""Review app: the addresses that the page of `review` asks for, and what they answer.

Starlette answers and Uvicorn serves: both are small, kept well, and all that a page of files and JSON needs.
"""

from collections.abc import Callable, Mapping
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

Answer = Callable[[Request], Response]

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
    answers: Mapping[str, Callable[[OpenedCase, Request], Response]] = {
        "": lambda case, _: JSONResponse(case_document(case)),
        "/images": lambda case, _: JSONResponse(case.images().document()),
        "/images/{phase:int}": lambda case, request: _pixels(case, request, case.image),
        "/masks/{phase:int}": lambda case, request: _pixels(case, request, case.labels),
    }
    file = _page()
    routes = [
        Route("/", file),
        Route("/page/{name}", file),
        Route(f"{API}cases", _in_words(lambda _: JSONResponse(results.document()))),
        *(Route(f"{API}cases/{{case_id}}{path}", _of_case(results, answer)) for path, answer in answers.items()),
    ]
    return RequestGuard(Starlette(routes=routes), port, token)


def _page() -> Answer:
    """The files of the page itself, which are read once."""
    page = {entry.name: entry.read_bytes() for entry in files("cardioseg.review").joinpath("page").iterdir()}

    def file(request: Request) -> Response:
        name = request.path_params.get("name", _INDEX)
        suffix = f".{name.rpartition('.')[2]}"
        if name not in page or suffix not in _TYPES:
            return PlainTextResponse("there is no such file", _NOT_FOUND)
        return Response(page[name], media_type=_TYPES[suffix])

    return file


def _of_case(results: ReviewedResults, answer: Callable[[OpenedCase, Request], Response]) -> Answer:
    return _in_words(lambda request: answer(results.case(request.path_params["case_id"]), request))


def _pixels(case: OpenedCase, request: Request, read: Callable[[int], bytes]) -> Response:
    """The pixels of a phase of the case as the page knows it: never those of a mask that replaced it meanwhile."""
    phase = request.path_params["phase"]
    if request.query_params.get("version", case.version) != case.version:
        raise UnusableError(f"{case.folder.case_id} was changed meanwhile", "load it again")
    if phase >= case.mask.phases:
        raise NoInputError("there is no such phase")
    return Response(read(phase), media_type="application/octet-stream")


def _in_words(answer: Answer) -> Answer:
    """The same, with errors as texts for the page."""

    def answered(request: Request) -> Response:
        try:
            return answer(request)
        except CardiosegError as error:
            document = {"message": error.message, "hint": error.hint}
            return JSONResponse(document, _NOT_FOUND if isinstance(error, NoInputError) else _CONFLICT)

    return answered
