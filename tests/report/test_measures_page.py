"""docs/measures.md describes every column of measures.csv and every flag."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from scripts import script
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.nifti import write_cine
from cardioseg.ingest.cine.series import Kind
from cardioseg.measure.wall_measures import SEGMENT_COLUMNS
from cardioseg.phantom import Phantom, cine

DOCS = Path(__file__).parents[2] / "docs"
SMALL = Phantom(slices=5, phases=2, rows=32, columns=32, spacing_mm=(16.0, 7.0, 7.0))


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(DOCS / "measures" / "page.py")


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_the_documentation_has_a_row_for_every_column_that_predict_writes(tmp_path: Path) -> None:
    write_cine(tmp_path / "heart.nii", cine(SMALL))
    model = str(write_threshold_model(tmp_path / "model"))
    assert run(["predict", str(tmp_path / "heart.nii"), "-m", model, "-o", str(tmp_path / "out"), "-q"]) == 0
    header = (tmp_path / "out" / "measures.csv").read_text().partition("\n")[0].strip()
    documented = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert [name for name in header.split(",") if f"| `{name}` |" not in documented] == []
    assert "qc" not in header.split(",")  # flag_count says what it is


def test_every_column_is_described_in_order(page: ModuleType) -> None:
    from cardioseg.results.run_tables import MEASURE_COLUMNS

    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.+?) \|", page.page(), re.MULTILINE)
    assert tuple(name for name, _, _ in rows) == MEASURE_COLUMNS
    assert all(len(meaning) > 10 for _, _, meaning in rows)


def test_the_page_about_the_wall_is_up_to_date() -> None:
    wall = script(DOCS / "function" / "page.py")
    assert wall.PAGE.read_text(encoding="utf-8") == wall.page()


def test_every_column_of_segments_csv_is_described(page: ModuleType) -> None:
    rows = page.page().partition("# The columns of segments.csv")[2]
    assert re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE) == list(SEGMENT_COLUMNS)


def named_flags() -> Iterator[str]:
    """The first argument of every `Flag(...)` and `Rule(...)` in the package that is a text or a constant."""
    package = DOCS.parent / "cardioseg"
    for path in package.rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
        for call in calls:
            if not (isinstance(call.func, ast.Name) and call.func.id in {"Flag", "Rule"}):
                continue
            kind = call.args[0] if call.args else None
            if isinstance(kind, ast.Constant):
                yield str(kind.value)
            elif isinstance(kind, ast.Name):
                module = import_module(".".join(path.relative_to(package.parent).with_suffix("").parts))
                yield str(getattr(module, kind.id))


def test_every_flag_is_described(page: ModuleType) -> None:
    composed = {f"no {label.title}" for label in STRUCTURES} | {str(Kind.SINGLE_SLICE_CINE), str(Kind.SHORT_CINE)}
    assert set(page.FLAGS) == {*named_flags(), *composed}
