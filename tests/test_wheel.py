"""What is installed from a wheel, without the checkout: templates, recipes and models are there and work."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from email import message_from_string
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from small_phantoms import SQUARE

from cardioseg.image.nifti import write_volume
from cardioseg.phantom import cine, reference

ROOT = Path(__file__).parents[1]
SMALL = replace(SQUARE, phases=2)
USE = """
import sys
from pathlib import Path
import cardioseg
from cardioseg.cli.app import run
from cardioseg.training.recipe import built_in_recipes, read_recipe
assert Path(cardioseg.__file__).is_relative_to(sys.argv[1]), cardioseg.__file__
assert run(["predict", "scans", "-o", "out", "-m", "lv_sunnybrook", "-q"]) == 0
assert run(["evaluate", "out", "references", "-o", "evaluation", "-q"]) == 0
assert run(["evaluate", "out", "references", "references", "--compare", "-o", "comparison", "-q"]) == 0
assert run(["info"]) == 0
for name in built_in_recipes():
    read_recipe(name)
    print("recipe", name)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as pip does."""
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder)
    return folder


def test_it_holds_every_file(site: Path) -> None:
    package = [path.relative_to(ROOT) for path in (ROOT / "cardioseg").rglob("*") if path.is_file()]
    expected = {path for path in package if "__pycache__" not in path.parts}
    models = {path.relative_to(ROOT) for path in (ROOT / "models").rglob("*") if path.is_file()}
    installed = {path.relative_to(site) for path in (site / "cardioseg").rglob("*") if path.is_file()}
    assert installed == expected | {Path("cardioseg") / path for path in models}
    assert {".j2", ".html", ".css", ".js", ".svg", ".toml", ".onnx"} <= {path.suffix for path in installed}


def test_its_metadata_name_the_licence_of_every_model_in_it(site: Path) -> None:
    [folder] = site.glob("*.dist-info")
    metadata = message_from_string((folder / "METADATA").read_text())
    named = metadata["License-Expression"].split(" AND ")
    cards = {path.parent.name: json.loads(path.read_text()) for path in (ROOT / "models").glob("*/card.json")}
    needed = {card["licence"].split(",")[0].replace(" ", "-") for card in cards.values()}
    assert set(named) == {"Apache-2.0", *needed}
    assert {"Apache-2.0", "CC-BY-NC-SA-4.0", "CC0-1.0"} == set(named)
    licences = metadata.get_all("License-File")
    assert sorted(licences) == sorted(["LICENSE", *(f"models/{name}/README.md" for name in cards)])
    for name, card in cards.items():
        notice = (folder / "licenses" / "models" / name / "README.md").read_text()
        assert card["licence"] in notice
        assert card["citation"] in notice


def test_it_works_without_the_checkout(site: Path, tmp_path: Path) -> None:
    write_volume(tmp_path / "scans" / "a.nii.gz", cine(SMALL).phase(0))
    write_volume(tmp_path / "references" / "a.nii.gz", reference(SMALL).phase(0))
    done = subprocess.run(
        [sys.executable, "-c", USE, str(site)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "recipe sax" in done.stdout
    assert "lv_sunnybrook" in done.stdout
    for page in ("out/report.html", "evaluation/evaluation.html", "comparison/comparison.html"):
        assert "<style>" in (tmp_path / page).read_text()
