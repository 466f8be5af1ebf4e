"""`review`: a page in the browser where a person looks at results."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.errors import ExitCode, UsageError

_LAST_PORT = 65535


def review(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder that `predict -o` wrote into.")],
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, help="Port of the page. 0: any free port.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: nothing can be corrected.")] = False,
) -> int:
    """Look at results in the browser, and correct masks.

    The page shows images, masks, volume curves and flags. Without a tunnel, only a browser on this computer can
    open the page. Nothing is sent elsewhere. Ctrl-C ends the command.
    """
    from cardioseg.results.folder import ResultsFolder

    if port > _LAST_PORT:
        raise UsageError(f"there is no port {port}", f"ports are 1 to {_LAST_PORT}; 0 is any free port")
    try:
        from cardioseg.review.page_server import serve
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("starlette", "uvicorn"):
            raise
        raise UsageError(f"`review` needs {package}", "pip install 'cardioseg[review]'") from None

    def announce(address: str) -> None:
        console.say(f"{address}\nCtrl-C ends it")
        if browser:
            _open_in_browser(address)

    try:
        serve(ResultsFolder(results), port, announce, is_read_only=read_only)
    except KeyboardInterrupt:
        console.say("ended")
    return ExitCode.OK


def _open_in_browser(address: str) -> None:
    """Open a page in a window; not in a browser that would take over the terminal, nor where there is none."""
    import webbrowser
    from contextlib import suppress

    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        is_in_terminal = isinstance(browser, webbrowser.GenericBrowser)
        if not is_in_terminal or isinstance(browser, webbrowser.BackgroundBrowser):
            browser.open(address)
