"""Correcting page: a case in a browser, corrected as a person does it, and the mask that the page then has."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from chromium import Chromium
from served_results import Served, served_here

from cardioseg.image.nifti import read_cine
from cardioseg.image.volume import Cine
from cardioseg.review.correction import Correction, parse

_SEEN = "!document.querySelector('#case').hidden && document.querySelector('#notice').hidden"
_FRAMES = "new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
_AT_REST = """!document.querySelector('#measures').classList.contains('old')
    && !document.querySelector('#deed').textContent.endsWith('…')"""


@dataclass
class CorrectingPage:
    """A case that is corrected.

    Attributes:
        browser: that shows it, with square pixels.
        review: the server.
        results: the folder that it serves.
        name: of the case.
    """

    browser: Chromium
    review: Served
    results: Path
    name: str

    def open(self, name: str = "", width: int = 1240, height: int = 900) -> "CorrectingPage":
        """Open the case, or another one, with the whole image."""
        self.name = name or self.name
        self.browser.visit(f"{self.review.address}/{self.name}", width, height)
        self.browser.wait_for(f"{_SEEN} && document.querySelector('#grey').textContent")
        self.browser.key("z")
        self.rest()
        return self

    @property
    def file(self) -> Path:
        return self.results / self.name / "mask.nii.gz"

    @property
    def saved(self) -> Cine:
        """The mask in the folder."""
        return read_cine(self.file)

    @property
    def seen(self) -> set[int]:
        """The phases that the page shows for every slice: end-diastole and end-systole."""
        measures = json.loads((self.file.parent / "measures.json").read_text())["measures"]
        return {measures["lv_ed_phase"], measures["lv_es_phase"]}

    def rest(self) -> None:
        """Wait until all is drawn and measured."""
        self.browser.evaluate(_FRAMES)
        self.browser.wait_for(_AT_REST)

    def press(self, *keys: str) -> None:
        """Press keys one after another: `x`, `Delete`, `Shift+Delete`, `Ctrl+z`."""
        for name in keys:
            *modifiers, key = name.split("+")
            self.browser.key(key, shift="Shift" in modifiers, ctrl="Ctrl" in modifiers)
            self.rest()

    def press_shift(self, letter: str) -> None:
        """Press a letter with Shift."""
        self.browser.key(letter.upper(), shift=True)
        self.rest()

    def go_to(self, slice_: int, phase: int) -> None:
        """Show a slice at a phase; slice 4 of these stacks is the base."""
        self.press("Home", *["ArrowDown"] * (4 - slice_))
        while self.place != (slice_, phase):
            self.press("ArrowRight")

    @property
    def place(self) -> tuple[int, int]:
        """The slice and the phase that are shown."""
        words = self.text("#place").split()
        return int(words[1]), int(words[words.index("phase") + 1])

    def text(self, selector: str) -> str:
        return str(self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def stroke(self, *points: tuple[float, float]) -> None:
        """Drag with the left button through points (row, column) of the image: (0.5, 0.5) is in the first pixel."""
        self.browser.drag(self.in_window(points))
        self.rest()

    def hold(self, *points: tuple[float, float]) -> None:
        """Draw through points of the window without letting go of the button."""
        held: Any = {"button": "left", "buttons": 1, "clickCount": 1}
        for number, (x, y) in enumerate(points):
            kind = "mouseMoved" if number else "mousePressed"
            self.browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)
        self.rest()

    def let_go(self, point: tuple[float, float]) -> None:
        """Let go of the button at a point of the window."""
        x, y = point
        self.browser.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)
        self.rest()

    @property
    def heart(self) -> tuple[int, int, int, int]:
        """The part of the image that the zoom to the heart shows: rows from, to, columns from, to."""
        top, bottom, left, right = json.loads(self.review.ask(f"/api/cases/{self.name}").content)["heart"]
        return top, bottom, left, right

    def in_window(
        self, points: Sequence[tuple[float, float]], part: tuple[int, int, int, int] | None = None
    ) -> list[tuple[float, float]]:
        """Where points (row, column) of the image lie in the window, which shows a part of it or all."""
        first_row, end_row, first_column, end_column = part or (
            0,
            self.saved.grid.shape[1],
            0,
            self.saved.grid.shape[2],
        )
        rows, columns = end_row - first_row, end_column - first_column
        left, top, width, height = self.browser.evaluate(
            "(box => [box.x, box.y, box.width, box.height])(document.querySelector('#large').getBoundingClientRect())"
        )
        scale = min(height / rows, width / columns)
        left, top = left + (width - columns * scale) / 2, top + (height - rows * scale) / 2
        return [(left + (column - first_column) * scale, top + (row - first_row) * scale) for row, column in points]

    @property
    def is_unsaved(self) -> bool:
        return self.text("#saved") == "not saved"

    @property
    def sent(self) -> Correction:
        """The correction that the page asked the numbers of last."""
        contents = [content for address, content in self.browser.posts if address.endswith("/measures")]
        return parse(contents[-1].encode(), Correction)

    @property
    def mask(self) -> np.ndarray:
        """Labels (phase, slice, row, column) as they are corrected now."""
        voxels = self.sent.applied(self.saved).voxels if self.is_unsaved else self.saved.voxels
        return np.asarray(voxels)

    def save(self, *keys: str) -> None:
        """Save by keyboard; `keys` are pressed in the dialog before Enter."""
        self.browser.key("s", ctrl=True)
        self.browser.wait_for("document.querySelector('#save-dialog').open")
        for key in keys:
            self.browser.key(key)
        self.browser.key("Enter")
        self.browser.wait_for("!document.querySelector('#save-dialog').open")
        self.browser.wait_for("!document.querySelector('#saved').textContent.includes('writing')")
        self.rest()


@contextmanager
def correcting(browser: Chromium, results: Path, name: str) -> Iterator[CorrectingPage]:
    """A case of a results folder, which a server serves."""
    with served_here(results) as review:
        yield CorrectingPage(browser, review, results, name).open()
