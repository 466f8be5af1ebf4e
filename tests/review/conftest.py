"""Fixtures of the page's tests: results that are made once, and a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium
from correcting_page import CorrectingPage, correcting
from served_results import Served, served, write_results


@pytest.fixture(autouse=True)
def _no_complaints(request: pytest.FixtureRequest) -> Iterator[None]:
    """The browser complains of nothing after a test of a page. It warns of the test itself, which reads a canvas."""
    yield
    if "page" in request.fixturenames:
        complaints = request.getfixturevalue("browser").complaints
        assert [complaint for complaint in complaints if '"source": "rendering"' not in complaint] == []


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `predict` wrote; tests that change it copy it."""
    return write_results(tmp_path_factory.mktemp("reviewed"))


@pytest.fixture(scope="session")
def review(results: Path) -> Iterator[Served]:
    """A running `cardioseg review`."""
    with served(results) as running:
        yield running


@pytest.fixture(scope="session")
def notched(browser: Chromium, results: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CorrectingPage]:
    """The page of a case that may be changed."""
    folder = tmp_path_factory.mktemp("notched") / "results"
    shutil.copytree(results, folder)
    with correcting(browser, folder, "notched") as page:
        yield page
