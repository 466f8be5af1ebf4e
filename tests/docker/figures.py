"""The images, built and run under the strictest flags: `python tests/docker/figures.py --write`.

Needs a Docker engine, and `../shared/data` for the real studies; `PIP_INDEX_URL`, `PIP_EXTRA_INDEX_URL` and
`PIP_FIND_LINKS` of the environment are passed on to the build. `--full` builds and tries the image with PyTorch too;
`--built` tries images that are there. Every command runs in the image, one after another on what the last one wrote.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from test_images import ROOT, STRICT, build, docker, run

from cardioseg.phantom import Encoding, Phantom, write_dicom, write_sunnybrook

sys.path.insert(0, str(ROOT / "tests"))
from thresholds import write_threshold_model

SUNNYBROOK = ROOT.parent / "shared" / "data" / "sunnybrook"
FIGURES = ROOT / "docs" / "reliability" / "docker.json"
PUBLISHED_BASE_MB = 75  # of debian:bookworm-slim; the one that is made where none can be pulled is larger
SIZE: dict[str, Any] = {"slices": 5, "phases": 8, "rows": 48, "columns": 48, "spacing_mm": (16.0, 5.0, 5.0)}
RECIPE = """
labels = ["lv_cavity"]
norm = "iln"
size = 32
[augmentation]
grid_fraction = 0.02
[optimization]
learning_rate = 0.1
epochs = 1
"""
Steps = Iterable[tuple[str, list[str]]]  # what is shown on the page, and what is run
_TO = ["-q", "-o"]
FULL_NOTE = (
    "`full` was built with PyTorch's CPU wheel and run without a GPU. With the CUDA build it is gigabytes larger. It "
    "was not run on a GPU."
)


def megabytes(image: str) -> dict[str, float]:
    """Sizes of an image: what it adds to its base, and with the base that is here."""
    layers = docker("history", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}", image).stdout.splitlines()
    base = int(docker("image", "inspect", "-f", "{{.Size}}", "debian:bookworm-slim").stdout)
    whole = sum(int(line.split("\t")[0]) for line in layers)
    return {"added": round((whole - base) / 1e6), "here": round(whole / 1e6)}


def context_megabytes() -> float:
    """What is sent to the engine: what git knows of the folders that `.dockerignore` lets through."""
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    listed = subprocess.run(["git", "ls-files", *kept], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return round(sum((ROOT / name).stat().st_size for name in listed.splitlines()) / 1e6, 1)


def write_given(folder: Path) -> None:
    """What the containers read as /given: a heart in every encoding, four labelled hearts, a recipe and a model."""
    for number, encoding in enumerate(Encoding):
        write_dicom(Phantom(seed=number, **SIZE), folder / "encodings", encoding=encoding)
    write_sunnybrook([Phantom(seed=seed, **SIZE) for seed in range(1, 5)], folder / "labelled")
    write_threshold_model(folder / "model")
    (folder / "few.toml").write_text(RECIPE)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def serving() -> Steps:
    """Every command that needs no PyTorch."""
    yield "info", ["info"]
    yield "demo", ["demo", *_TO, "/out/demo"]
    yield (
        "predict, eight encodings of DICOM",
        ["predict", "/given/encodings", *_TO, "/out/encodings", "-m", "/given/model"],
    )
    yield "ingest", ["ingest", "/given/labelled", *_TO, "/out/dataset"]
    if SUNNYBROOK.is_dir():
        yield "inspect, three real studies", ["inspect", "/real/SCD_IMAGES_01"]
        formats = ["--format", "nifti,dicom-seg"]
        yield "predict, three real studies", ["predict", "/real/SCD_IMAGES_01", *_TO, "/out/real", *formats]
        yield "measure, their masks", ["measure", "/out/real", *_TO, "/out/measured"]
        yield "evaluate, against their contours", ["evaluate", "/out/real", "/real", *_TO, "/out/evaluation"]


def training() -> Steps:
    """From labelled scans to the evaluation of a model of one's own, without a GPU."""
    yield "ingest", ["ingest", "/given/labelled", *_TO, "/out/dataset"]
    few = ["-r", "/given/few.toml", "--folds", "2"]
    yield "train, a few steps of two folds", ["train", "/out/dataset", *_TO, "/out/run", *few]
    licence = ["--licence", "CC0-1.0"]
    yield (
        "export, the model compared in ONNX Runtime",
        ["export", "/out/run", "/out/dataset", *_TO, "/out/model", *licence],
    )
    yield "predict, with this model", ["predict", "/given/labelled", *_TO, "/out/predicted", "-m", "/out/model"]
    yield "evaluate, against the labels", ["evaluate", "/out/predicted", "/given/labelled", *_TO, "/out/evaluation"]


def examined(target: str, is_built: bool, place: Path) -> dict[str, Any]:
    """Build an image and try it, step by step; a step that `place` knows is not tried again."""
    image = f"cardioseg:{target}-test" if is_built else build(target)
    given, out, state = place / "given", place / "out", place / f"{target}.json"
    found: dict[str, Any] = json.loads(state.read_text()) if state.exists() else {}
    write_given(given)
    out.mkdir(exist_ok=True)
    for path in (out, out.parent):
        path.chmod(0o777)
    mounts = [f"{given}:/given:ro", *[f"{SUNNYBROOK}:/real:ro"] * SUNNYBROOK.is_dir()]
    for what, arguments in serving() if target == "serve" else training():
        if what not in found:
            start = time.perf_counter()
            done = run(image, out, arguments, *mounts)
            found[what] = {"exit": done.returncode, "seconds": round(time.perf_counter() - start)}
            found[what] |= {"cases": _cases(out, arguments), "said": done.stderr[-500:]}
            state.write_text(json.dumps(found, indent=2))
    return {"size": megabytes(image), "tried": found}


def _cases(out: Path, arguments: list[str]) -> int:
    """Cases done in the folder that a command wrote."""
    return (
        len(list((out / Path(arguments[arguments.index("-o") + 1]).name).rglob("case.json")))
        if "-o" in arguments
        else 0
    )


def document(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures for the page."""
    rows: list[dict[str, Any]] = [{"what": "build context", "measured": context_megabytes(), "unit": "MB"}]
    for target, one in found.items():
        rows += _rows(target, one, "< 900" if target == "serve" else "")
    is_full = "full" in found
    return {
        "order": 60,
        "title": "In a container",
        "promise": f"{'Both images work' if is_full else 'The serving image works'} without root rights, under "
        f"`{' '.join(STRICT)}`: only the mounted results folder and /tmp can be written to.",
        "command": f"python tests/docker/figures.py {'--full ' if is_full else ''}--write",
        "figures": rows,
        "notes": [FULL_NOTE] if is_full else [],
    }


def _rows(target: str, found: dict[str, Any], promised: str) -> Iterable[dict[str, Any]]:
    added, here = found["size"]["added"], found["size"]["here"]
    published = f"{target}: with debian:bookworm-slim as published, about {PUBLISHED_BASE_MB} MB"
    yield {"what": f"{target}: added to the base image", "measured": added, "unit": "MB"}
    yield {"what": published, "promised": promised, "measured": added + PUBLISHED_BASE_MB, "unit": "MB"}
    yield {"what": f"{target}: with the base image that is here", "promised": promised, "measured": here, "unit": "MB"}
    for what, one in found["tried"].items():
        yield {"what": f"{target}: {what}: exit code", "promised": "0", "measured": one["exit"]}
        if one["cases"] and what.startswith("predict"):
            yield {"what": f"{target}: {what}: cases done", "measured": one["cases"]}


def main() -> int:
    """Build, run, measure; 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--built", action="store_true", help="do not build")
    parser.add_argument("--state", type=Path, help="keeps each step and goes on after the last")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = {}
    for target in ("serve", *["full"] * asked.full):
        with TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            place = (asked.state or Path(scratch)).absolute() / target
            place.mkdir(parents=True, exist_ok=True)
            found[target] = examined(target, asked.built, place)
            whose = ["-v", f"{place}:/place", "--user", "0", "--entrypoint", "chown"]  # what a stranger wrote is ours
            docker("run", "--rm", *whose, f"cardioseg:{target}-test", "-R", f"{os.getuid()}:{os.getgid()}", "/place")
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if asked.write:
        FIGURES.write_text(json.dumps(document(found), indent=2) + "\n")
    return int(any(one["exit"] for image in found.values() for one in image["tried"].values()))


if __name__ == "__main__":
    sys.exit(main())
