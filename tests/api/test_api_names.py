"""`import cardioseg` offers the names of the API and imports nothing for them yet."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cardioseg

PACKAGE = Path(cardioseg.__file__).parent
LIMIT_S = 0.05
PROGRAM = """
import sys, time
start, before = time.process_time(), set(sys.modules)
import cardioseg
seconds = time.process_time() - start
imported = set(sys.modules) - before
own = sorted(name for name in imported if name.split(".")[0] == "cardioseg")
others = sorted({name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"cardioseg"})
print(seconds, own, others, sep="|")
"""


def test_importing_imports_nothing_else_and_takes_no_time() -> None:
    command = [sys.executable, "-c", PROGRAM]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("|") for _ in range(3)]
    assert all(run[1:] == ["['cardioseg', 'cardioseg.errors']", "[]\n"] for run in runs)
    assert min(float(run[0]) for run in runs) < LIMIT_S


@pytest.mark.parametrize("name", cardioseg.__all__)
def test_every_name_is_there_and_is_not_that_of_a_package(name: str) -> None:
    what = getattr(cardioseg, name)
    assert getattr(cardioseg, name) is what
    if name != "errors":
        assert what.__name__ == name
        assert not (PACKAGE / name).exists()
        assert not (PACKAGE / f"{name}.py").exists()


def test_what_type_checkers_see_is_what_is_imported() -> None:
    tree = ast.parse(Path(cardioseg.__file__).read_text(encoding="utf-8"))
    branch = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in branch.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert seen == {name: f"cardioseg.{place}" for name, place in cardioseg._PLACES.items()}
    assert sorted([*seen, "errors"]) == sorted(cardioseg.__all__)


def test_tab_offers_the_api_and_a_wrong_name_says_so() -> None:
    assert set(dir(cardioseg)) == {*cardioseg.__all__, "__version__", "__doc__"}
    with pytest.raises(AttributeError, match="no attribute 'segment'"):
        _ = cardioseg.segment
