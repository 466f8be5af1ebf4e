"""The images, built and run under the strictest flags: `python tests/docker/figures.py --write`.

Needs a Docker engine, and `../shared/data` for the real studies; `PIP_INDEX_URL`, `PIP_EXTRA_INDEX_URL` and
`PIP_FIND_LINKS` of the environment are passed on to the build. `--full` builds and tries the image with PyTorch too.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from test_images import ROOT, STRICT, build, docker, run

SCANS = ROOT.parent / "shared" / "data" / "sunnybrook" / "SCD_IMAGES_01"
FIGURES = ROOT / "docs" / "reliability" / "docker.json"
PUBLISHED_BASE_MB = 75  # of debian:bookworm-slim; the one that is made where none can be pulled is larger


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


def tried(image: str, arguments: list[str], *mounts: str) -> dict[str, Any]:
    """Exit code, seconds and cases done of one command under the strictest flags."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        for path in (out, out.parent):
            path.chmod(0o777)
        start = time.perf_counter()
        done = run(image, out, arguments, *mounts)
        seconds = round(time.perf_counter() - start)
        cases = len(list(out.rglob("case.json")))
        docker("run", "--rm", "-v", f"{out}:/out", "--user", "0", "--entrypoint", "sh", image, "-c", "rm -r /out/*")
    return {"exit": done.returncode, "seconds": seconds, "cases": cases, "said": done.stderr[-500:]}


def document(serve: dict[str, Any], full: dict[str, Any] | None) -> dict[str, Any]:
    """The figures for the page."""

    def figures(name: str, found: dict[str, Any], promised: str) -> list[dict[str, Any]]:
        size = found["size"]["added"]
        return [
            {"what": f"{name}: added to the base image", "measured": size, "unit": "MB"},
            {
                "what": f"{name}: with debian:bookworm-slim as published, about {PUBLISHED_BASE_MB} MB",
                "promised": promised,
                "measured": size + PUBLISHED_BASE_MB,
                "unit": "MB",
            },
            {"what": f"{name}: with the base image that is here", "measured": found["size"]["here"], "unit": "MB"},
            *(
                {"what": f"{name}: {what}, exit code", "promised": "0", "measured": one["exit"]}
                for what, one in found["tried"].items()
            ),
        ]

    rows = [{"what": "build context", "measured": context_megabytes(), "unit": "MB"}, *figures("serve", serve, "< 900")]
    studies = serve["tried"].get("predict, three real studies")
    rows += [{"what": "serve: cases done of three", "promised": "3", "measured": studies["cases"]}] if studies else []
    rows += figures("full", full, "") if full else []
    return {
        "order": 60,
        "title": "In a container",
        "promise": f"{'Both images work' if full else 'The serving image works'} as another user than root under "
        f"`{' '.join(STRICT)}`.",
        "command": f"python tests/docker/figures.py {'--full ' if full else ''}--write",
        "figures": rows,
        "notes": ["The full image was built with PyTorch's CPU wheel; with the CUDA build it is gigabytes larger."]
        if full
        else [],
    }


def examined(target: str) -> dict[str, Any]:
    """Build an image and try it."""
    image = build(target)
    runs = {"demo": tried(image, ["demo", "-o", "/out/demo"])}
    if target == "serve" and SCANS.is_dir():
        studies = tried(image, ["predict", "/scans", "-o", "/out/real", "-q"], f"{SCANS}:/scans:ro")
        runs["predict, three real studies"] = studies
    return {"size": megabytes(image), "tried": runs}


def main() -> int:
    """Build, run, measure; 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = {target: examined(target) for target in ("serve", *["full"] * asked.full)}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if asked.write:
        FIGURES.write_text(json.dumps(document(found["serve"], found.get("full")), indent=2) + "\n")
    return int(any(one["exit"] for image in found.values() for one in image["tried"].values()))


if __name__ == "__main__":
    sys.exit(main())
