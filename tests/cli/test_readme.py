"""README and docs keep their word: links lead somewhere, commands have the options shown, figures are the measured."""

import json
import re
from pathlib import Path

import pytest
from scripts import script
from thresholds import write_threshold_model

from cardioseg.cli.app import run

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
COMMANDS = sorted(
    {
        line.split("#")[0].replace("\\\n", " ").strip()
        for path in PAGES
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        for line in re.findall(r"^cardioseg (?:.*\\\n)*.*$", block, re.MULTILINE)
    }
)


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(\s*([^)\s]+)\)", text) if "://" not in link]
    for link in links:
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.is_file(), link
        assert not heading or heading in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_the_options_that_are_shown(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, command, *arguments = line.split()
    assert run([command, "--help"]) == 0
    options = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", capsys.readouterr().out))
    assert {argument for argument in arguments if argument.startswith("-")} <= options


def test_the_exit_code_when_all_cases_fail_is_the_one_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged.nii.gz").write_bytes(b"\x1f\x8b nonsense")
    model = str(write_threshold_model(tmp_path / "model"))
    code = run(["predict", str(tmp_path / "damaged.nii.gz"), "-o", str(tmp_path / "out"), "-m", model])
    assert "all cases failed, 1 of 1" in capsys.readouterr().err
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert re.findall(r"(\d+) [^·]*\ball cases failed", text) == [str(code)]


def test_the_time_of_training_is_the_measured_one() -> None:
    folder = ROOT / "docs" / "performance"
    speed = json.loads((folder / "training.json").read_text())["throughput"]["images_per_s"]
    hours = script(folder / "page.py").training_hours(speed)
    assert f"takes about {hours:.0f} hours on" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_time_of_a_cine_is_the_measured_one() -> None:
    runs = json.loads((ROOT / "docs" / "performance" / "predicting.json").read_text())["runs"]
    sax = next(measured for measured in runs if measured["model"] == "sax")
    assert sax["command"]["threads"] == 2
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{sax['slices']} images takes about {sax['command']['wall_s']:.0f} seconds on two CPU cores" in text


@pytest.mark.parametrize(("name", "data"), [("ACDC", "acdc"), ("M&Ms", "mnms"), ("Sunnybrook", "sunnybrook")])
def test_the_accuracy_of_sax_is_that_of_its_card(name: str, data: str) -> None:
    metrics = json.loads((ROOT / "models" / "sax" / "card.json").read_text())["metrics"]
    own = [metric for metric in metrics if metric["protocol"].startswith(data) and "group" not in metric["protocol"]]
    dice = {metric["label"]: metric for metric in reversed(own) if metric["metric"] == "Dice"}
    errors = {metric["label"]: metric for metric in own if metric["metric"] == "mean absolute error"}
    subjects = errors["lv_ef_percent"]["n"]
    cells = [f"{dice[key]['mean']:.3f}" if key in dice else "–" for key in ("rv_cavity", "lv_myocardium", "lv_cavity")]
    bias = {metric["label"]: metric["mean"] for metric in own if metric["metric"] == "bias"}
    cells += [
        f"{errors[key]['mean']:.1f} ({bias[key]:+.1f})" if key in errors else "–"
        for key in ("lv_ef_percent", "rv_ef_percent")
    ]
    assert f"| {name} | {subjects} | {' | '.join(cells)} |" in (ROOT / "README.md").read_text()
