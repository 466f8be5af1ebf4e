"""`cardioseg review` as a command: it starts, says where the page is, ends as asked, and says what is wrong."""

import signal
import socket
import subprocess
import sys
import time
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served_results import hear_ctrl_c, served, start

from cardioseg.cli.app import run
from cardioseg.cli.review_command import _open_in_browser

WITHOUT = """
import sys
sys.modules["uvicorn"] = None
from cardioseg.cli.app import run
sys.exit(run(["review", sys.argv[1]]))
"""
WITH_BROWSER = """
import sys, webbrowser
class Browser(webbrowser.BaseBrowser):
    def open(self, url, new=0, autoraise=True):
        print(url, flush=True)
        return True
webbrowser.register("noted", None, Browser(), preferred=True)
from cardioseg.cli.app import main
sys.argv = ["cardioseg", "review", sys.argv[1]]
main()
"""


def said(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, text = process.communicate(timeout=60)
    return process.returncode, text


def test_ctrl_c_ends_it_at_once(results: Path) -> None:
    with served(results) as review:
        assert review.ask("/").status == 200
        begun = time.monotonic()
        code, text = review.end(signal.SIGINT)
        assert (code, text.splitlines()[-1]) == (0, "ended")
        assert time.monotonic() - begun < 5


def test_sigterm_ends_it(results: Path) -> None:
    with served(results) as review:
        code, _ = review.end(signal.SIGTERM)
        assert code == 143


def test_ctrl_c_ends_it_while_requests_run(results: Path) -> None:
    def ask(number: int) -> bool:
        try:
            return review.ask(f"/api/cases/dicom/images/{number % 8}").status == 200
        except OSError:
            return False  # it has ended

    with served(results) as review, ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(ask, number) for number in range(300)]
        asked[20].result(timeout=60)
        begun = time.monotonic()
        code, text = review.end(signal.SIGINT)
        assert (code, text.splitlines()[-1]) == (0, "ended")
        assert "Traceback" not in text
        assert time.monotonic() - begun < 10


def test_the_browser_gets_the_address(results: Path) -> None:
    command = [sys.executable, "-c", WITH_BROWSER, str(results)]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": hear_ctrl_c}
    with subprocess.Popen(command, text=True, **options) as process:
        try:
            assert process.stdout.readline() == process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


def test_a_browser_in_the_terminal_is_not_opened(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser.GenericBrowser, "open", lambda _, address: opened.append(address))
    for browser in (webbrowser.GenericBrowser("lynx"), webbrowser.BackgroundBrowser("firefox")):
        monkeypatch.setattr(webbrowser, "get", lambda browser=browser: browser)
        _open_in_browser(type(browser).__name__)
    monkeypatch.setattr(webbrowser.BackgroundBrowser, "open", lambda _, address: opened.append(address))
    _open_in_browser("in a window")
    assert opened == ["in a window"]


def test_a_port_in_use_is_named(results: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, text = said(start(results, "--port", str(port)))
    assert code == 6
    assert text == f"error: port {port}: address already in use\nhint: give another --port, or leave it out\n"


def test_a_port_that_does_not_exist(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", str(results), "--port", "70000", "--no-browser"]) == 2
    assert "there is no port 70000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "message"), [("none", "there is no such folder"), ("empty", "holds no finished results")]
)
def test_a_folder_without_results(
    tmp_path: Path, folder: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["review", str(tmp_path / folder), "--no-browser"]) == 4
    error = capsys.readouterr().err
    assert message in error
    assert "hint: give the folder that `cardioseg predict` wrote" in error


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'cardioseg[review]'" in done.stderr
    assert "Traceback" not in done.stderr
