"""A headless Chromium, driven over a pipe by its DevTools protocol: nothing to install beside Debian's `chromium`."""

import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_S = 120.0  # the machine may be busy
_CTRL, _SHIFT = 2, 8  # of the protocol's modifiers
_SENT_BYTES = 16 * 2**20  # of what a page sends, as far as it is written down
_CODES = {
    "Enter": 13,
    "Escape": 27,
    " ": 32,
    "Tab": 9,
    "Delete": 46,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage")


@dataclass
class Chromium:
    """One page of a browser.

    Attributes:
        complaints: what the page wrote to the console, threw, or was refused.
        requests: every address that it asked for, embedded pictures aside.
        posts: address and content of all that it sent.
        dialogs: what the browser itself asked before the page was left; it is left.
    """

    commands: int
    answers: int
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    posts: list[tuple[str, str]] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    _asked: int = 0
    _read: bytes = b""

    def open(self, path: Path, width: int = 1240, height: int = 1600) -> None:
        """Open a file in a window of that size."""
        self.visit(path.absolute().as_uri(), width, height)

    def visit(self, address: str, width: int = 1240, height: int = 900) -> None:
        """Open an address in a window of that size."""
        self.dialogs.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        self._load("about:blank")  # else an address that differs in its fragment loads nothing
        for record in (self.complaints, self.requests, self.posts):
            record.clear()  # of the page before
        self._load(address)

    def _load(self, address: str) -> None:
        self.seen.clear()
        self.ask("Page.navigate", url=address)
        while "Page.loadEventFired" not in self.seen:
            self._take()

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str, patience_s: float = _PATIENCE_S) -> Any:
        """The value of an expression as soon as it is true."""
        deadline = time.monotonic() + patience_s
        while (value := self.evaluate(f"({expression}) || null")) is None:
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.02)
        return value

    def key(self, name: str, shift: bool = False, ctrl: bool = False) -> None:
        """Press and release a key, called as browsers call it: `a`, `?`, `ArrowUp`, `Enter`, ` `."""
        text = {"Enter": "\r"}.get(name, name if len(name) == 1 and not ctrl else "")
        modifiers = (_SHIFT if shift else 0) + (_CTRL if ctrl else 0)
        press = {"key": name, "modifiers": modifiers, "windowsVirtualKeyCode": _CODES.get(name, 0)}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **press, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **press)

    def click(self, selector: str) -> None:
        """Click the middle of an element with the left button."""
        self.drag([self.middle(selector)])

    def drag(self, points: Sequence[tuple[float, float]], button: str = "left") -> None:
        """Press a button at the first point, move to the others, release it at the last one."""
        held = {"button": button, "buttons": {"left": 1, "right": 2}[button]}
        x, y = points[0]
        self.ask("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, clickCount=1, **held)
        for x, y in points[1:]:
            self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **held)
        self.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, clickCount=1, button=button)

    def wheel(self, selector: str, notches: int, shift: bool = False) -> None:
        """Turn the wheel over an element, towards the user if `notches` is positive."""
        x, y = self.middle(selector)
        turned = {"deltaX": 0, "deltaY": 120 * notches, "modifiers": _SHIFT if shift else 0}
        self.ask("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, **turned)

    def middle(self, selector: str) -> tuple[float, float]:
        """The middle of an element in the window, which scrolls to it."""
        x, y = self.evaluate(f"""(element => {{
            element.scrollIntoView({{ block: 'nearest' }});
            const {{ x, y, width, height }} = element.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
        }})(document.querySelector({json.dumps(selector)}))""")
        return x, y

    def screenshot(self, beyond: bool = True) -> bytes:
        """The whole page as a PNG, or what the window shows of it."""
        return b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=beyond)["data"])

    def pdf(self) -> bytes:
        """The page as it prints."""
        return b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        number = self._send(method, **parameters)
        while (answer := self._take()).get("id") != number:
            pass
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _send(self, method: str, **parameters: Any) -> int:
        self._asked += 1
        session = {"sessionId": self.session} if self.session else {}
        message = {"id": self._asked, "method": method, "params": parameters} | session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        return self._asked

    def _take(self) -> dict[str, Any]:
        """The next message; events are written down."""
        deadline = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._read:
            ready, _, _ = select.select([self.answers], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "Chromium does not answer"
            more = os.read(self.answers, 1 << 20)
            assert more, "Chromium is gone"
            self._read += more
        text, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, what: dict[str, Any]) -> None:
        self.seen.append(event)
        if event in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.complaints.append(json.dumps(what))
        if event == "Network.requestWillBeSent" and not what["request"]["url"].startswith("data:"):
            self.requests.append(what["request"]["url"])
            if "postData" in what["request"]:
                self.posts.append((what["request"]["url"], what["request"]["postData"]))
        if event == "Page.javascriptDialogOpening":
            self.dialogs.append(what["type"])
            self._send("Page.handleJavaScriptDialog", accept=True)


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """Start Chromium with its settings in an empty folder; skip the test where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Debian's chromium is not installed")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    options = [*_OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
    pipes = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'  # the numbers at which Chromium looks for them
    command = ["bash", "-c", pipes, program, *options]
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), **silent) as process:  # type: ignore[call-overload]
        for end in (theirs_in, theirs_out):
            os.close(end)
        try:
            yield _attached(Chromium(ours_out, ours_in))
        finally:
            process.kill()
            for end in (ours_in, ours_out):
                os.close(end)


def _attached(browser: Chromium) -> Chromium:
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log"):
        browser.ask(f"{domain}.enable")
    browser.ask("Network.enable", maxPostDataSize=_SENT_BYTES)
    return browser
