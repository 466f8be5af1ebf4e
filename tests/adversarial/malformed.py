"""Malformed: the whole campaign of malformed input, written to docs/reliability/malformed.json.

    python tests/adversarial/malformed.py [FUZZ_DICOM_LOG FUZZ_NIFTI_LOG]

takes about two minutes of a processor; the logs are what `fuzz.py` printed, in the folders where it left its findings.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import dicom_bombs
import geometries
import nifti_bombs
from campaign import peak_rss_mb

from cardioseg.ingest.finding.survey import Survey, survey

HERE = Path(__file__).parent
RESULT = HERE.parents[1] / "docs" / "reliability" / "malformed.json"
TINY = 100_000
Figure = dict[str, Any]


def python(script: str, *arguments: object) -> Any:
    """The JSON that a script of this folder prints."""
    command = [sys.executable, HERE / script, *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def campaign(kind: str, count: int) -> list[Figure]:
    """Mutants through one door."""
    found = python("campaign.py", kind, count, "--seed", 1)
    what = f"damaged {kind.replace('dicom', 'DICOM').replace('nifti', 'NIfTI')} files"
    return [
        {"what": what, "measured": count},
        {"what": f"{what}: refused with a reason", "measured": found["refused"]},
        {"what": f"{what}: read all the same", "measured": found["read"]},
        {"what": f"{what}: any other exception", "promised": "0", "measured": sum(found["escaped"].values())},
        {"what": f"{what}: longest time over one", "promised": "<= 5 s", "measured": found["slowest_s"], "unit": "s"},
        {"what": f"{what}: peak memory", "promised": "<= 512 MB", "measured": found["peak_rss_mb"], "unit": "MB"},
    ]


def fall(folder: Path) -> list[Figure]:
    """Bombs."""
    for make in (*dicom_bombs.BOMBS, *nifti_bombs.BOMBS):
        content = make()
        suffix = ".dcm" if make in dicom_bombs.BOMBS else ".nii.gz" if content.startswith(b"\x1f\x8b") else ".nii"
        (folder / f"{make.__name__}{suffix}").write_bytes(content)
    dicom_bombs.sparse_dicom(folder / "sparse.dcm")
    costs = python("fall.py", *sorted(folder.iterdir()))
    return [
        {"what": "bombs (packed, nested, promised, sparse)", "measured": len(costs)},
        {"what": "bombs read", "promised": "0", "measured": sum(not cost["reason"] for cost in costs)},
        {"what": "most memory for one", "promised": "<= 100 MB", "measured": max(c["extra_mb"] for c in costs),
         "unit": "MB"},
        {"what": "most CPU time for one", "promised": "<= 5 s", "measured": max(c["cpu_s"] for c in costs),
         "unit": "s"},
    ]  # fmt: skip


def contradict(folder: Path) -> list[Figure]:
    """Contradictory geometry."""
    silent = 0
    for name, change in geometries.CONTRADICTIONS.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        for number, content in enumerate(geometries.changed(change)):
            (place / f"{number:03d}.dcm").write_bytes(content)
        silent += is_silent(survey(place))
    return [
        {"what": "kinds of contradictory geometry", "promised": "25", "measured": len(geometries.CONTRADICTIONS)},
        {"what": "accepted without a word", "promised": "0", "measured": silent},
    ]


def is_silent(seen: Survey) -> bool:
    """Whether everything went into one cine without a word."""
    return not seen.unused and len(seen.series) == 1 and bool(seen.cines[0].stack) and not seen.cines[0].stack.flags


def crowd(folder: Path) -> list[Figure]:
    """A tree of tiny files."""
    for number in range(TINY):
        place = folder / f"{number // 1000:03d}"
        place.mkdir(exist_ok=True)
        (place / str(number)).write_bytes(b"tiny")
    before_mb, start_s = peak_rss_mb(), time.process_time()
    seen = survey(folder)
    seconds = round(time.process_time() - start_s, 1)
    return [
        {"what": "tiny files in one tree", "measured": TINY},
        {"what": "of these, reported with a reason", "promised": f"{TINY:,}", "measured": len(seen.unused)},
        {"what": "CPU time to look through them", "measured": seconds, "unit": "s"},
        {"what": "more peak memory", "promised": "<= 512 MB", "measured": peak_rss_mb() - before_mb, "unit": "MB"},
    ]


def fuzzed(log: Path) -> list[Figure]:
    """What atheris (libFuzzer) says at its end, and how many findings it left."""
    match = re.search(r"Done (\d+) runs in (\d+) second", log.read_text(errors="replace"))
    assert match, log
    found = [path for kind in ("crash-*", "oom-*", "timeout-*") for path in log.parent.glob(kind)]
    name = "NIfTI" if "nifti" in log.parent.name else "DICOM"
    return [
        {"what": f"inputs that atheris made for the {name} door", "measured": int(match[1])},
        {"what": "in", "promised": ">= 600 s", "measured": int(match[2]), "unit": "s"},
        {"what": "of these, crashes, hangs or too much memory", "promised": "0", "measured": len(found)},
    ]


def main() -> None:
    figures = campaign("dicom", 20_000) + campaign("nifti", 5_000)
    for part in (fall, contradict, crowd):
        with tempfile.TemporaryDirectory() as scratch:
            figures += part(Path(scratch))
    for log in sys.argv[1:]:
        figures += fuzzed(Path(log))
    document = {
        "order": 10,
        "title": "Malformed input",
        "promise": (
            "Whatever a file holds, it is read or refused with a reason in one line; it does not crash the process, "
            "hang it, or take memory that its size does not justify, and it changes nothing for the files beside it."
        ),
        "command": ["python tests/adversarial/malformed.py", "python tests/adversarial/fuzz.py dicom CORPUS"],
        "figures": figures,
        "notes": [
            "Damage is one to four of: flipped bits, random or extreme numbers, cuts, insertions, deletions, "
            "repetitions and moves, half of them in the first 2 KB. A damaged file that is read all the same differs "
            "in what no checksum guards, such as its pixels: DICOM has none.",
            "Times over one file are by the clock, on a machine that was training at the same time.",
        ],
    }
    RESULT.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
