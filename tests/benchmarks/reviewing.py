"""How fast `review` is: the first picture, the next slice, played phases, numbers after a change, saving; and memory.

    python tests/benchmarks/reviewing.py [--slices 12] [--phases 20] -o docs/performance/reviewing.json

A phantom of 256 x 256 pixels is predicted with `sax`, as DICOM and as NIfTI. Then `review` serves it in a process of
its own, and Chromium shows it. Medians over turns; each turn starts `review` anew. The first picture is complete: the
large slice with its image, its neighbours and the overview. The numbers after a change: from the key that deletes a
structure of the slice to the measures beside it; a stroke with the mouse takes the same way. Saving: until the page has
the measures of the saved case; the tables of all cases are written after that. A folder of 1,000 small cases shows how
long its list and its tables take, and the memory of the server.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

TESTS = Path(__file__).parents[1]
CASES = 1000
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
SAVED = "document.querySelector('#saved').textContent.startsWith('saved')"
TABLES = "!document.querySelector('#saved').textContent.includes('tables')"
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


def write_many(folder: Path) -> Path:
    """A small case, and as many copies that count as other cases."""
    from small_phantoms import SMALL

    from cardioseg.phantom import write_dicom

    write_dicom(SMALL, folder / "small" / "case0000")
    out = folder / "many"
    command = ["predict", str(folder / "small"), "-o", str(out), "-q"]
    subprocess.run([sys.executable, "-m", "cardioseg", *command], check=True)
    names = [f"case{number:04}" for number in range(1, CASES)]
    for number, name in enumerate(names):
        shutil.copytree(out / "case0000", out / name)
        path = out / name / "case.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"content": f"{number:064x}"}))
    for table in ("status.csv", "measures.csv"):
        with (out / table).open(newline="") as file:
            [row] = csv.DictReader(file)
        with (out / table).open("a", newline="") as file:
            csv.DictWriter(file, row).writerows(row | {"case_id": name} for name in names)
    return out


def measure_looking(results: Path, case: str, turns: int) -> dict[str, float]:
    """Milliseconds, phases a second, and the peak of the server's memory in MB."""
    from served_results import served

    firsts, nexts, played, numbers = [], [], [], []
    with started_browser() as browser:
        for _ in range(turns):
            with served(results) as review:
                firsts.append(opened_ms(browser, review.address, case))
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


def measure_saving(results: Path, case: str) -> dict[str, float]:
    """Seconds until the list is shown, a case is saved, and the tables are written; the server's memory then."""
    from served_results import served

    with started_browser() as browser, served(results) as review:
        begun = time.perf_counter()
        browser.visit(review.address)
        browser.wait_for("document.querySelector('#cases tbody tr')")
        listed = time.perf_counter()
        opened_ms(browser, review.address, case)
        browser.key("Delete")
        browser.key("s", ctrl=True)
        browser.wait_for("document.querySelector('#save-dialog').open")
        asked = time.perf_counter()
        browser.key("Enter")
        browser.wait_for(SAVED)
        saved = time.perf_counter()
        browser.wait_for(TABLES)
        written = time.perf_counter()
        memory_mb = _peak_mb(review.process.pid)
    return {
        "list_s": listed - begun,
        "saving_s": saved - asked,
        "tables_s": written - saved,
        "server_peak_mb": memory_mb,
    }


@contextmanager
def started_browser() -> Iterator[Any]:
    """A browser with a profile of its own."""
    from chromium import chromium

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, chromium(Path(profile)) as browser:
        yield browser


def opened_ms(browser: Any, address: str, case: str) -> float:
    """Open a case from the list; milliseconds until its first picture is complete."""
    browser.visit(address)
    browser.wait_for("document.querySelector('#cases tbody tr')")
    begun = time.perf_counter()
    browser.evaluate(f"document.querySelector('[data-case={case}]').click()")
    browser.wait_for(SHOWN)
    return 1000 * (time.perf_counter() - begun)


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
        result["looking"] = {case: measure_looking(results, case, options.turns) for case in ("dicom", "nifti")}
        result["saving"] = measure_saving(results, "dicom")
        result["many"] = {"cases": CASES} | measure_saving(write_many(Path(folder)), "case0500")
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
