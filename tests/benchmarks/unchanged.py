"""Whether two checkouts write the same bytes: every command runs with each, and all that it wrote and said is compared.

    python tests/benchmarks/unchanged.py ../BEFORE . --data ../shared/data

Times, the id of a run and what is random in a DICOM object are set aside. The exit code is 1 where anything differs.
"""

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

COMMANDS = {
    "info": "info --json",
    "demo": "demo -o demo",
    "inspect": "inspect data/sunnybrook/SCD_IMAGES_01 --json",
    "inspect-demo": "inspect demo/scans",
    "predict-dicom": "predict data/sunnybrook/SCD_IMAGES_01 -o sunnybrook --format nifti,dicom-seg",
    "predict-again": "predict data/sunnybrook/SCD_IMAGES_01 -o sunnybrook --json",
    "predict-chosen": "predict demo/scans -o chosen --ed 1 --es 7 --names hash --no-paths",
    "predict-parts": "predict data/acdc -o acdc --part 1/16",
    "predict-ensemble": "predict demo/scans -o ensemble -m sax_ensemble",
    "gather": "gather acdc",
    "predict-nothing": "predict data/README.md -o nothing",
    "measure": "measure sunnybrook -o measured --json",
    "evaluate": "evaluate acdc data/acdc -o evaluated --nnunet",
    "evaluate-json": "evaluate sunnybrook data/sunnybrook --json -o contoured",
    "evaluate-two": "evaluate demo/results ensemble demo/reference --compare -o compared",
    "evaluate-wrong": "evaluate data/README.md data/acdc -o wrong",
    "ingest-contours": "ingest data/sunnybrook -o contours --json",
    "ingest-slices": "ingest data/sunnybrook_slices -o slices",
    "ingest-acdc": "ingest data/acdc -o dataset",
    "train": "train contours -o run --recipe lv --folds 2 --steps 2 --threads 2 -d cpu",
    "evaluate-run": "evaluate run contours -o folds --threads 2",
    "export": "export run contours -o model --licence none",
    "reproduce": "reproduce contours --organ lv -o paper --norms iln,in --folds 2 --steps-fraction 2e-5 --lrs 1 -d cpu",
}
_TIMES = re.compile(r"second|per_s$|_ms$|^input$|^run$|created|^date$|percent_of_wall|^seg_e[ds]")
_CLOCK = re.compile(rb"\b\d+(\.\d+)? ?(s|min|ms|h|steps/s|slices/s|images/s)\b|\d+:\d\d(:\d\d)?")
_RANDOM = {"SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "DimensionOrganizationUID"}
_CLOCKS = {
    "ContentDate",
    "ContentTime",
    "InstanceCreationDate",
    "InstanceCreationTime",
    "SeriesDate",
    "SeriesTime",
    "ContributionDateTime",
}


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="", help="Commands, separated by commas.")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(COMMANDS)
    with TemporaryDirectory() as temporary:
        place = Path(temporary) / "work"  # the same for both: some outputs say where they lie
        before, after = (
            outputs(checkout.resolve(), options.data.resolve(), place, names)
            for checkout in (options.before, options.after)
        )
    sys.exit(report(before, after))


def outputs(checkout: Path, data: Path, place: Path, names: list[str]) -> dict[str, bytes]:
    """Every file that the commands of a checkout write, and what they say; times are set aside."""
    place.mkdir()
    (place / "data").symlink_to(data)
    (place / "chosen.names.json").write_text(json.dumps({"key": "0" * 32, "cases": {}}))  # else the key is random
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    for name in names:
        command = [sys.executable, "-m", "cardioseg", *COMMANDS[name].split()]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False)
        said = b"exit code %d\n%s\n%s" % (done.returncode, done.stdout, done.stderr)
        (place / f"{name}.said").write_bytes(said)
        print(checkout.name, name, done.returncode, flush=True)
    files = (path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_relative_to(place / "data"))
    kept = (path for path in files if path.suffix != ".jsonl" and "tfevents" not in path.name)
    known = {str(path.relative_to(place)): timeless(path) for path in kept}
    shutil.rmtree(place)
    return known


def timeless(path: Path) -> bytes:
    """What is in a file, without times."""
    content = path.read_bytes()
    if path.suffix == ".said":
        start = content.find(b"{\n")
        head, document = (content[:start], content[start:]) if b"\n{\n" in content[:20] else (content, b"")
        return _CLOCK.sub(b"TIME", head) + (_json_with_rest(document) if document else b"")
    if path.suffix == ".json":
        return _plain(json.loads(content))
    if path.suffix == ".html":
        return _CLOCK.sub(b"TIME", re.sub(rb"seconds</dt><dd>[\d.]+</dd>", b"", content))
    if path.suffix == ".dcm" and content[128:132] == b"DICM" and path.name.startswith("seg_"):
        return "\n".join(_elements(content)).encode()
    return content


def _json_with_rest(content: bytes) -> bytes:
    document, end = json.JSONDecoder().raw_decode(content.decode())
    return _plain(document) + _CLOCK.sub(b"TIME", content[len(content.decode()[:end].encode()) :])


def _plain(document: Any) -> bytes:
    return json.dumps(_without_times(document), indent=1).encode()


def _without_times(document: Any) -> Any:
    if isinstance(document, dict):
        return {
            key: _without_times(value) for key, value in document.items() if not _TIMES.search(key) or "times" in key
        }
    return [_without_times(value) for value in document] if isinstance(document, list) else document


def _elements(content: bytes) -> Iterator[str]:
    """The elements of a DICOM object, without what is drawn at random or from a clock."""
    from pydicom import dcmread

    for element in dcmread(BytesIO(content)).iterall():
        if element.keyword not in _RANDOM | _CLOCKS and element.VR != "SQ":
            yield f"{element.tag} {element.VR} {element.value!r}"


def report(before: dict[str, bytes], after: dict[str, bytes]) -> int:
    """Print what differs; 1 where anything does."""
    different = [name for name in before if name in after and before[name] != after[name]]
    for name in sorted(before.keys() ^ after.keys()):
        print("only", "before" if name in before else "after", name)
    for name in different:
        print("differs:", name)
        texts = [one[name].decode("utf-8", "replace").splitlines() for one in (before, after)]
        if all(len(text) < 20_000 for text in texts):
            print(*[line[:300] for line in difflib.unified_diff(*texts, lineterm="", n=0)][:20], sep="\n")
    print(f"{len(before)} files before, {len(after)} after, {len(different)} of them differ")
    return int(bool(different) or before.keys() != after.keys())


if __name__ == "__main__":
    main()
