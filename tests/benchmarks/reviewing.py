"""How fast `review` is: the first picture, the next slice, played phases, numbers after a change, saving, and memory.

    python tests/benchmarks/reviewing.py [--slices 12] [--phases 20] -o docs/performance/reviewing.json

A phantom of 256 x 256 pixels is predicted with `sax`, as DICOM and as NIfTI. Then `review` serves it in a process of
its own, and Chromium shows it. Medians over turns; each turn starts `review` anew. The first picture is complete: the
large slice with its image, its neighbours and the overview. The numbers after a change: from the key that deletes a
structure of the slice to the measures beside it; a stroke with the mouse takes the same way. Saving: until the page has
the measures of the saved case. A folder of 1,000 small cases shows the list and the memory that it takes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

TESTS = Path(__file__).parents[1]
DRAWN = "!document.querySelector('#case').hidden && document.querySelector('#grey').textContent"
SHOWN = f"{DRAWN} && document.querySelector('#notice').hidden"
NEXT_SLICE = """(async () => {
  const times = [];
  const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  await drawn();
  for (let step = 0; step < 10; step++) {
    const begun = performance.now();
    const key = step < 5 ? 'ArrowUp' : 'ArrowDown';
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    await drawn();
    times.push(performance.now() - begun);
  }
  return times.sort((one, other) => one - other)[5];
})()"""
NUMBERS = """(async () => {
  const times = [];
  const cells = document.querySelector('#measures');
  const press = (key, ctrlKey = false) =>
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true }));
  for (let turn = 0; turn < 6; turn++) {
    const changed = new Promise((resolve) => {
      const observer = new MutationObserver(() => { observer.disconnect(); resolve(); });
      observer.observe(cells, { childList: true, subtree: true, characterData: true });
    });
    const begun = performance.now();
    if (turn % 2) press('z', true); else press('Delete');
    await changed;
    times.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return times.sort((one, other) => one - other)[3];
})()"""
PLAYED = """(async () => {
  let count = 0;
  const curve = document.querySelector('#curve');
  new MutationObserver(() => count++).observe(curve, { attributeFilter: ['aria-valuenow'] });
  document.querySelector('#play').click();
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 4000));
  document.querySelector('#play').click();
  return count / (performance.now() - begun) * 1000;
})()"""


def write_results(folder: Path, slices: int, phases: int) -> Path:
    """Two cases, `dicom` and `nifti`."""
    from cardioseg.image.nifti import write_cine
    from cardioseg.phantom import Phantom, cine, write_dicom

    phantom = Phantom(slices=slices, phases=phases, spacing_mm=(120 / slices, 1.37, 1.37))
    write_dicom(phantom, folder / "scans" / "dicom")
    write_cine(folder / "scans" / "nifti.nii.gz", cine(phantom))
    out = folder / "results"
    command = ["predict", str(folder / "scans"), "-o", str(out), "-q", "--format", "nifti"]
    subprocess.run([sys.executable, "-m", "cardioseg", *command], check=True)
    return out


def measure(results: Path, case: str, turns: int) -> dict[str, float]:
    """Milliseconds, phases a second, and the peak of the server's memory in MB."""
    from chromium import chromium
    from served_results import served

    firsts, nexts, played, numbers = [], [], [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, chromium(Path(profile)) as browser:
        for _ in range(turns):
            with served(results) as review:
                browser.visit(review.address)
                browser.wait_for("document.querySelector('#cases tbody tr')")
                begun = time.perf_counter()
                browser.evaluate(f"document.querySelector('[data-case={case}]').click()")
                browser.wait_for(SHOWN)
                firsts.append(1000 * (time.perf_counter() - begun))
                nexts.append(browser.evaluate(NEXT_SLICE))
                time.sleep(5)  # the other phases arrive
                played.append(browser.evaluate(PLAYED))
                browser.key("d")
                numbers.append(browser.evaluate(NUMBERS))
                memory_mb = _peak_mb(review.process.pid)
    return {
        "first_picture_ms": median(firsts),
        "next_slice_ms": median(nexts),
        "phases_per_s": median(played),
        "numbers_after_a_change_ms": median(numbers),
        "server_peak_mb": memory_mb,
    }


def _peak_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--phases", type=int, default=20)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    sys.path[:0] = [str(TESTS), str(TESTS / "review")]
    result: dict[str, Any] = {"slices": options.slices, "phases": options.phases}
    with tempfile.TemporaryDirectory() as folder:
        results = write_results(Path(folder), options.slices, options.phases)
        result |= {case: measure(results, case, options.turns) for case in ("dicom", "nifti")}
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
