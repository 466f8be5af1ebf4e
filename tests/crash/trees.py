"""What a command left: every file by what is in it, but for how long things took."""

import csv
import io
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

_TIMINGS = {"seconds", "seconds_by_case"}
_CHECKPOINT = re.compile(r"step-\d{7}-([0-9a-f]{16})\.pt")


def tree(folder: Path) -> dict[str, str]:
    """Every file and what is in it, timings aside; TensorBoard's logs, which only show what is elsewhere, are not."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "tensorboard")
    return {str(path.relative_to(folder)): sha256(_timeless(path)).hexdigest() for path in files}


def is_whole(path: Path, out: Path, expected: dict[str, str]) -> bool:
    """Whether a file under a final name holds what it may hold there at that moment."""
    if path.is_dir() or path.name.startswith(".") or path.suffix == ".lock" or path.parent.name == "tensorboard":
        return True
    if path.name in {".lock", ".ledger.jsonl"}:  # a ledger grows, and its last line may be cut off
        return True
    if match := _CHECKPOINT.fullmatch(path.name):
        return sha256(path.read_bytes()).hexdigest()[:16] == match[1]
    if path.name in {"steps.csv", "started.json"}:  # grows, or is there while a job runs; each version is written whole
        return path.read_bytes().endswith(b"\n")
    try:
        return expected.get(str(path.relative_to(out))) == sha256(_timeless(path)).hexdigest()
    except ValueError:
        return False


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".json":
        return json.dumps(_without_timings(json.loads(content))).encode()
    if path.suffix == ".html":
        return re.sub(rb"<dt>seconds</dt><dd>[\d.]+</dd>", b"", content)
    if path.suffix == ".csv":
        return json.dumps(_without_timings(list(csv.DictReader(io.StringIO(content.decode(), newline=""))))).encode()
    return content


def _without_timings(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _without_timings(value) for key, value in document.items() if key not in _TIMINGS}
    return [_without_timings(value) for value in document] if isinstance(document, list) else document
