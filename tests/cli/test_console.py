"""A console that lacks our characters: every command ends as it would anywhere, and no sign of a number is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from small_phantoms import FINE as SMALL

from cardioseg.cli import console
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Volume
from cardioseg.phantom import Phantom, cine, reference, write_dicom, write_sunnybrook

HEART = "\N{CJK UNIFIED IDEOGRAPH-5FC3}\N{CJK UNIFIED IDEOGRAPH-81D3}"  # no Western code page has it
ENCODINGS = ("cp932", "latin-1", "ascii", "cp1252", "utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scans, labelled data, two predictions and a folder whose name some consoles cannot show."""
    folder = tmp_path_factory.mktemp("place") / HEART
    write_dicom(SMALL, folder / "scans")
    write_sunnybrook([SMALL, Phantom(**{**vars(SMALL), "seed": 2})], folder / "labelled")
    mask = reference(SMALL)
    for name in ("one", "other", "masks"):
        for case in ("a", "b"):
            shifted = mask.voxels if name == "masks" else mask.voxels[:, :, ::-1]
            write_volume(folder / name / f"{case}.nii.gz", Volume(shifted[0], mask.grid))
    write_cine(folder / "cines" / f"{HEART}.nii.gz", mask)
    write_cine(folder / "scan.nii.gz", cine(SMALL))
    return folder


def cardioseg(place: Path, encoding: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command at a console of that encoding."""
    return python(place, encoding, "-m", "cardioseg", *arguments)


def python(place: Path, encoding: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False)
    out, err = (text.decode(encoding) for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(command, done.returncode, out, err)


EVERY_COMMAND = [
    (["inspect", "."], 0),
    (["inspect", ".", "--json"], 0),
    (["evaluate", "one", "other", "masks", "--compare"], 0),
    (["evaluate", "one", HEART], 4),
    (["measure", "cines", "-o", "OUT/measured"], 0),
    (["ingest", "labelled", "-o", "OUT/dataset"], 0),
    (["ingest", HEART, "-o", "OUT/none"], 4),
    (["train", HEART, "-o", "OUT/none"], 4),
    (["export", HEART, HEART, "-o", "OUT/none", "--licence", "x"], 4),
    (["gather", HEART], 4),
    (["info"], 0),
    (["train", "--help"], 0),
    (["evaluate", "--help"], 0),
]
END = "\f"  # of what a command prints


@pytest.fixture(scope="module")
def ended(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[tuple[int, str, str]]]:
    """ended(encoding): exit code, stdout and stderr of every command, one after another in one process."""

    @cache
    def run_all(encoding: str) -> list[tuple[int, str, str]]:
        out = tmp_path_factory.mktemp("out")
        commands = [[one.replace("OUT", str(out)) for one in arguments] for arguments, _ in EVERY_COMMAND]
        done = python(
            place,
            encoding,
            "-c",
            "import sys; from cardioseg.cli.app import run\n"
            f"for arguments in {commands!r}:\n"
            "    code = run(arguments)\n"
            f"    print(code, end={END!r})\n"
            f"    print(end={END!r}, file=sys.stderr)\n",
        )
        assert done.returncode == 0, done.stderr
        printed, said = (text.split(END)[:-1] for text in (done.stdout, done.stderr))
        lines = [text.rpartition("\n") for text in printed]
        return [(int(code), out, err) for (out, _, code), err in zip(lines, said, strict=True)]

    return run_all


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_evaluation_keeps_its_signs(place: Path, tmp_path: Path, encoding: str) -> None:
    done = cardioseg(place, encoding, "evaluate", "one", "masks", "-o", str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "mean" in done.stdout
    if encoding == "ascii":
        assert "+/-" in done.stdout
        assert "?" not in done.stdout
        lengths = {len(line) for line in done.stdout.splitlines() if line.startswith("|")}
        assert len(lengths) <= 4  # a width for each table: nothing is out of line


@pytest.mark.parametrize("encoding", ["ascii", "cp932"])
@pytest.mark.parametrize(
    "number",
    range(len(EVERY_COMMAND)),
    ids=[" ".join(arguments).replace(HEART, "heart") for arguments, _ in EVERY_COMMAND],
)
def test_every_command_ends_as_anywhere(
    ended: Callable[[str], list[tuple[int, str, str]]], encoding: str, number: int
) -> None:
    arguments, expected = EVERY_COMMAND[number]
    code, printed, said = ended(encoding)[number]
    assert (code, "Traceback" in said) == (expected, False), said
    if "--json" in arguments:
        assert json.loads(printed)


def test_a_name_that_cannot_be_shown_is_escaped(place: Path) -> None:
    done = cardioseg(place, "cp1252", "inspect", str(place))
    assert done.returncode == 0
    assert r"\u5fc3\u81d3" in done.stdout


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """A file system takes any bytes; Python's UTF-8 does not."""
    folder = tmp_path / "bad\udcff"
    try:
        write_dicom(SMALL, folder)
    except OSError:
        pytest.skip("the file system takes no such name")
    done = cardioseg(tmp_path, "utf-8", "inspect", ".")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert r"bad\udcff" in done.stdout


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["tables", "json"])
def test_whoever_reads_stdout_may_stop_before_its_end(place: Path, more: list[str]) -> None:
    """As `| head` does: the command ends as if all had been read."""
    command = [sys.executable, "-m", "cardioseg", "evaluate", "one", "masks", *more]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert "Broken" not in said


def test_durations() -> None:
    assert [console.duration(seconds) for seconds in (40, 730, 12_000)] == ["40 s", "12 min", "3 h 20 min"]
