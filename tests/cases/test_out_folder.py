"""Where results may lie: beside the scans and among them, but not over them."""

import shutil
from pathlib import Path

import pytest
from small_phantoms import SMALL

import cardioseg
from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import cine


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`nii/a.nii.gz`, `nii/below/b.nii.gz`, `nii/c.zip` and `other/d.nii.gz` in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("nii/a", "nii/below/b", "other/d"):
        write_cine(tmp_path / f"{name}.nii.gz", cine(SMALL))
    shutil.make_archive("nii/c", "zip", "other")
    return tmp_path


def listing(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(
    ("sources", "out", "said"),
    [
        (["nii"], "nii", "the output folder nii is the folder of the scans"),
        (["nii"], "other/../nii/", "the output folder other/../nii is the folder of the scans"),
        (["link"], "nii", "the output folder nii is the folder of the scans"),
        (["other", "nii"], "nii", "the output folder nii is the folder of the scans"),
        (["nii/below"], "nii", "the scans in nii/below lie in the output folder nii"),
        (["other", "nii/below"], "nii", "the scans in nii/below lie in the output folder nii"),
        (["nii/c.zip"], "nii", "the scans in nii/c.zip lie in the output folder nii"),
        (["nii"], ".", "the scans in nii lie in the output folder ."),
    ],
)
@pytest.mark.parametrize("part", [[], ["--part", "1/2"]])
def test_scans_in_the_output_folder_are_refused_before_anything_is_written(
    scans: Path,
    model_folder: Path,
    sources: list[str],
    out: str,
    said: str,
    part: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (scans / "link").symlink_to("nii")
    before = listing(scans)
    assert run(["predict", *sources, "-o", out, "-m", str(model_folder), *part]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"error: {said}",
        "hint: give another folder with -o; it may be a new folder among the scans",
    ]
    with pytest.raises(UsageError) as error:
        cardioseg.predict(sources, out, model=model_folder)
    assert error.value.message == said
    assert error.value.hint.startswith("give another folder as out; ")
    assert listing(scans) == before


@pytest.mark.parametrize("parts", [[[]], [["--part", "1/2"], ["--part", "2/2"]]], ids=["whole", "parts"])
def test_a_run_with_its_results_among_the_scans_can_be_repeated(
    scans: Path, model_folder: Path, parts: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a shell lists the results among the scans: `predict nii/* -o nii/results`."""
    for sources in (["nii"], ["nii"], ["nii/a.nii.gz", "nii/below", "nii/c.zip", "nii/results"]):
        for part in parts:
            command = ["predict", *sources, "-o", "nii/results", "-m", str(model_folder), "-q", *part]
            assert run(command) == 0, capsys.readouterr().err
    assert sorted(path.parent.name for path in scans.glob("nii/results/*/case.json")) == ["a", "b", "d"]


def test_the_results_alone_are_no_scans(scans: Path, model_folder: Path) -> None:
    cardioseg.predict("other", "results", model=model_folder)
    with pytest.raises(UsageError, match="the output folder results is the folder of the scans"):
        cardioseg.predict("results", "results", model=model_folder)


def test_a_single_file_may_lie_in_the_output_folder(scans: Path, model_folder: Path) -> None:
    for _ in range(2):
        results = cardioseg.predict("nii/a.nii.gz", "nii", model=model_folder)
        assert [(case.name, case.status) for case in results.cases] == [("a", "done")]


def test_a_source_that_is_not_there_is_said_to_be_missing(
    scans: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict", "nii/nowhere", "-o", "nii", "-m", str(model_folder)]) == 4
    assert "nii/nowhere: no such file or folder" in capsys.readouterr().err
