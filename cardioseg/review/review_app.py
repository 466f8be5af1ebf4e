"""Review app: the addresses that the page of `review` asks for, and what they answer.

Starlette answers and Uvicorn serves: both are small, kept well, and all that a page of files and JSON needs.
"""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cardioseg.errors import CardiosegError, NoInputError, UnusableError, UsageError
from cardioseg.review.case_document import case_document
from cardioseg.review.correction import CarriedSlice, Correction, FinishedReview, parse
from cardioseg.review.draft import Draft
from cardioseg.review.opened_case import OpenedCase
from cardioseg.review.request_guard import API, Application, RequestGuard
from cardioseg.review.reviewed_results import ReviewedResults

Answer = Callable[[Request], Response]
ContentAnswer = Callable[[Request, bytes], Response]

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_INDEX = "index.html"
_NOT_FOUND, _CONFLICT, _TOO_LARGE = 404, 409, 413
_STATUS: Mapping[type[CardiosegError], int] = {NoInputError: _NOT_FOUND, UsageError: 400}
_CORRECTION_BYTES = 16 * 1024**2  # many times what a person can draw in one case


def create_app(results: ReviewedResults, port: int, token: str) -> Application:
    """The application that serves one results folder.

    Args:
        results: what it shows.
        port: on which the page is reached.
        token: the secret that requests for data must have.
    """
    answers: Mapping[str, Callable[[OpenedCase, Request], Response]] = {
        "": lambda case, _: JSONResponse(case_document(case, results.why_read_only)),
        "/images": lambda case, _: JSONResponse(case.images().document()),
        "/images/{phase:int}": lambda case, request: _pixels(case, request, case.image),
        "/masks/{phase:int}": lambda case, request: _pixels(case, request, case.labels),
        "/predicted/{phase:int}": lambda case, request: _pixels(case, request, case.network_labels),
    }
    drafts: Mapping[str, Callable[[OpenedCase, bytes], dict[str, Any]]] = {
        "/measures": lambda case, content: _draft(case, parse(content, Correction)).measures_document(),
        "/carried": _carried,
    }
    file = _page()
    routes = [
        Route("/", file),
        Route("/page/{name}", file),
        Route(f"{API}cases", _in_words(lambda _: JSONResponse(results.document()))),
        *(Route(f"{API}cases/{{case_id}}{path}", _of_case(results, answer)) for path, answer in answers.items()),
        *(
            Route(f"{API}cases/{{case_id}}{path}", _of_content(_of_draft(results, answer)), methods=["POST"])
            for path, answer in drafts.items()
        ),
        Route(f"{API}cases/{{case_id}}/review", _of_content(_saved(results)), methods=["POST"]),
        Route(f"{API}tables", _of_content(lambda *_: JSONResponse(results.write_due_tables())), methods=["POST"]),
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
    _require_version(case, request.query_params.get("version", case.version))
    if phase >= case.mask.phases:
        raise NoInputError("there is no such phase")
    return Response(read(phase), media_type="application/octet-stream")


def _require_version(case: OpenedCase, version: str) -> None:
    if version != case.version:
        raise UnusableError(f"{case.folder.case_id} was changed meanwhile", "load it again")


def _draft(case: OpenedCase, correction: Correction) -> Draft:
    _require_version(case, correction.version)
    return Draft(case, correction)


def _carried(case: OpenedCase, content: bytes) -> dict[str, Any]:
    carried = parse(content, CarriedSlice)
    return _draft(case, carried).carried_document(carried.slice)


def _of_draft(results: ReviewedResults, answer: Callable[[OpenedCase, bytes], dict[str, Any]]) -> ContentAnswer:
    return lambda request, content: JSONResponse(answer(results.case(request.path_params["case_id"]), content))


def _saved(results: ReviewedResults) -> ContentAnswer:
    def answer(request: Request, content: bytes) -> Response:
        return JSONResponse(results.save(request.path_params["case_id"], parse(content, FinishedReview)))

    return answer


def _of_content(answer: ContentAnswer) -> Callable[[Request], Awaitable[Response]]:
    """Read what the page sends, as far as a correction can be long, and answer in a thread."""

    async def answered(request: Request) -> Response:
        content = b""
        async for part in request.stream():
            content += part
            if len(content) > _CORRECTION_BYTES:
                return JSONResponse({"message": "the correction is too large", "hint": ""}, _TOO_LARGE)
        return await run_in_threadpool(_in_words(lambda request: answer(request, content)), request)

    return answered


def _in_words(answer: Answer) -> Answer:
    """The same, with errors as texts for the page."""

    def answered(request: Request) -> Response:
        try:
            return answer(request)
        except CardiosegError as error:
            document = {"message": error.message, "hint": error.hint}
            return JSONResponse(document, _STATUS.get(type(error), _CONFLICT))

    return answered
