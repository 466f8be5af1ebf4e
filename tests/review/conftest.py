"""Fixtures of the page's tests: results that are made once, and a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, chromium
from served_results import Served, served, write_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `predict` wrote; tests that change it copy it."""
    return write_results(tmp_path_factory.mktemp("reviewed"))


@pytest.fixture(scope="module")
def review(results: Path) -> Iterator[Served]:
    """A running `cardioseg review`."""
    with served(results) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started
