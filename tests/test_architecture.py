"""The promises of the layout: who imports whom, who may print, how large things are."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cardioseg.results.folder import MARKS, CaseFolder, ResultsFolder

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "cardioseg").rglob("*.py"))
PAGE = sorted((ROOT / "cardioseg" / "review" / "page").iterdir())
SCRIPTS = sorted([*(ROOT / "docs").rglob("*.py"), *(ROOT / "tests" / "benchmarks").rglob("*.py")])
FILE_LINES, FUNCTION_LINES = 250, 40


def test_import_contracts() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or (body[-1].end_lineno or 0) - body[0].lineno < FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_runs_from_a_file_and_nothing_prints(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {"eval", "exec", "os.system", "pickle.load", "pickle.loads"}
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert keywords.get("shell") != "True"
            assert keywords.get("allow_pickle", "False") == "False"
            if name == "torch.load":
                assert keywords.get("weights_only") == "True"
            if name == "print":
                assert path.parent.name == "cli"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_import_what_there_is(path: Path) -> None:
    """Most of them run by hand only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "cardioseg":
            module = importlib.import_module(node.module)
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or importlib.util.find_spec(f"{node.module}.{name}"), (node.module, name)


@pytest.mark.parametrize(
    ("module", "file"), [("pydicom", "reader.py"), ("onnxruntime", "session.py"), ("SimpleITK", "nifti.py")]
)
def test_one_door_per_danger(module: str, file: str) -> None:
    """Files from outside are parsed in one place each; the phantom writes DICOM, the export proves its own graph.

    `source_image.py` reads again, whole, what `reader.py` has let in: identity, which nothing but a DICOM SEG may hold.
    """
    importers = {
        path.name for path in SOURCES if f"import {module}" in path.read_text() and "phantom" not in path.parts
    }
    assert importers - {"onnx_export.py", "png.py", "source_image.py"} == {file}


def file_names_of_results() -> set[str]:
    """Of all that `CaseFolder` and `ResultsFolder` say where it lies."""
    folders = CaseFolder(Path("case")), ResultsFolder(Path("out"))
    places = (getattr(folder, name) for folder in folders for name in dir(folder) if not name.startswith("_"))
    return {place.name for place in places if isinstance(place, Path) and place.suffix} | set(MARKS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_results_names_a_file_in_the_folder_of_results(path: Path) -> None:
    names = file_names_of_results()
    assert {"mask.nii.gz", "measures.json", "case.json", "status.csv", "run.json", "report.html", "cine.gif"} <= names
    if "results" in path.relative_to(ROOT).parts:
        return
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    words = [text for text in texts if isinstance(text, str) and not re.search(r"\s", text)]
    assert [word for word in words if word.rpartition("/")[2] in names] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_docstring_that_begins_with_a_name_begins_with_that_of_its_file(path: Path) -> None:
    title, colon, _ = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0].partition(":")
    if path.name != "__init__.py" and colon and len(title.split()) <= 2 and "`" not in title:
        names = [re.sub(r"[^a-z0-9]", "", text.lower().replace("&", "n")) for text in (title, path.stem)]
        assert names[0] in names[1] or names[1] in names[0] or names[0].rstrip("s") in names[1]


def test_no_file_name_stands_for_two_things() -> None:
    names = Counter(path.name for path in SOURCES if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_name_of_a_test_file_stands_twice() -> None:
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []  # pytest imports them by name


def test_tests_lie_in_rooms_of_the_same_names() -> None:
    """What is not about one room lies in rooms of the tests' own: campaigns, and figures for the documents."""
    own = {"adversarial", "benchmarks", "cohorts", "crash", "docker"}
    rooms = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    packages = {path.parent.relative_to(ROOT / "cardioseg") for path in SOURCES}
    assert {str(room) for room in rooms - packages} <= own


@pytest.mark.parametrize("path", PAGE, ids=lambda path: path.name)
def test_the_page_of_review_is_small_and_asks_nobody_else(path: Path) -> None:
    """No markup from texts, no code from texts, nothing from elsewhere; what the page's own policy forbids, too."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES
    assert max(map(len, text.splitlines())) <= (120 if path.suffix == ".js" else 150)
    assert set(re.findall(r"\w+://[^\"'\s)]*", text)) <= {"http://www.w3.org/2000/svg"}
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text) == []
    if path.suffix == ".html":
        assert re.findall(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=\"/page/)", text) == []
    if path.suffix == ".js":
        assert text.startswith(f"/** {path.stem.replace('_', ' ').capitalize()}: ")
        imported = re.findall(r'^(?:import|\} from).*"(.+)";$', text, re.MULTILINE)
        assert {path.parent / name for name in imported} <= set(PAGE)


def test_every_module_of_the_page_is_used() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in PAGE}
    for path in PAGE:
        if path.suffix in {".js", ".css", ".svg"}:
            assert any(path.name in text for name, text in texts.items() if name != path.name), path.name


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from cardioseg.cli.app import run; code = run(['--help']);"
        "heavy = {'numpy', 'torch', 'rich', 'pydantic', 'SimpleITK', 'matplotlib', 'pydicom'} & set(sys.modules);"
        "sys.exit(f'{code} {sorted(heavy)}' if code or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
