"""Fall: what reading files costs, in a process of its own: `python fall.py FILE...` prints a JSON list."""

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from campaign import DOORS, peak_rss_mb

from cardioseg.errors import UnusableError


def cost(path: Path) -> dict[str, Any]:
    """The reason for which a file is refused (none where it is read), CPU time, and memory beyond that of before."""
    read, _ = DOORS["nifti" if ".nii" in path.name else "dicom"]
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before_mb, start_s, reason = peak_rss_mb(), time.process_time(), ""
    try:
        read(path)
    except UnusableError as error:
        reason = error.message.removeprefix(f"{path}: ")
    seconds = time.process_time() - start_s
    return {"name": path.name, "reason": reason, "cpu_s": round(seconds, 3), "extra_mb": peak_rss_mb() - before_mb}


if __name__ == "__main__":
    print(json.dumps([cost(Path(name)) for name in sys.argv[1:]]))  # noqa: T201
