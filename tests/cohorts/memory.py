"""Whether memory grows with the cohort.

    python tests/cohorts/memory.py simulated --cases 10000 -o docs/cohorts/memory.json
    python tests/cohorts/memory.py real --cases 200 -o docs/cohorts/memory.json

`simulated`: the tree is made up (each unit is a cine of 40 headers) and the work on a case is to write its
`measures.json`; search, ledger, tables and report are the real ones. `real`: so many small hearts, really segmented.
The resident memory is read as cases are done, and once the tables are written.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

MEASURES = "measures.json"


def resident_mb() -> float:
    """What the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1e6, 1)


def simulated(cases: int, folder: Path) -> dict[str, Any]:
    """A made-up tree of so many cases."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from thresholds import write_threshold_model

    from cardioseg.cases import case_search as search
    from cardioseg.inference.session import open_model
    from cardioseg.ingest.finding.survey import LeftOut, Survey, survey
    from cardioseg.ingest.finding.survey_units import Unit
    from cardioseg.phantom import Phantom, write_dicom
    from cardioseg.prediction import prediction_work as work
    from cardioseg.prediction.cohort_prediction import predict_all
    from cardioseg.results.outcome import DONE, Outcome

    small: dict[str, Any] = {"slices": 5, "phases": 8, "rows": 40, "columns": 40, "spacing_mm": (16.0, 6.0, 6.0)}
    model = open_model(write_threshold_model(folder / "model", ["lv_cavity"]), "cpu", 1)
    (one,) = survey(write_dicom(Phantom(**small), folder / "one")).series
    first = search.find_cases([folder / "one" / "PHANTOM-0001"])
    list(predict_all(first, model, folder / "first"))
    content = next((folder / "first").glob(f"*/{MEASURES}")).read_bytes()

    def units(sources: Iterable[Path], _left: LeftOut) -> list[Unit]:
        (source,) = sources
        names = [f"patient-{number:05d}" for number in range(cases)]
        return [Unit(name, source, source, (source / name,), is_all=False) for name in names]

    def read(root: Path, paths: tuple[Path, ...], _left: LeftOut) -> Survey:
        (path,) = paths
        uid = path.name
        headers = [
            replace(h, path=path / h.path.name, series_uid=uid, sop_uid=f"{uid}{h.sop_uid}") for h in one.headers
        ]
        return Survey(root, (replace(one, headers=tuple(headers)),), ())

    def predict(case: Any, _model: Any, out: Path, *_: Any, **__: Any) -> Outcome:
        place = out / case.case_id
        place.mkdir(parents=True)
        (place / MEASURES).write_bytes(content)
        return Outcome(case.case_id, case.source, DONE, seconds=1.0)

    search.find_units, search.survey_paths, work.predict_case = units, read, predict  # type: ignore[assignment]
    found = search.Search([folder], folder / "out")
    return watched(predict_all(found, model, folder / "out"), cases)


def real(cases: int, folder: Path) -> dict[str, Any]:
    """So many small hearts."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from cohorts.hearts import write_hearts
    from thresholds import write_threshold_model

    from cardioseg.cases.case_search import Search
    from cardioseg.inference.session import open_model
    from cardioseg.prediction.cohort_prediction import predict_all

    model = open_model(write_threshold_model(folder / "model", ["lv_cavity"]), "cpu", 1)
    found = Search([write_hearts(folder / "scans", cases)], folder / "out")
    return watched(predict_all(found, model, folder / "out"), cases)


def watched(outcomes: Iterator[Any], cases: int) -> dict[str, Any]:
    """Megabytes as cases are done: after a tenth of them, after each further tenth, and after the tables."""
    start, curve = time.process_time(), {}
    for number, _ in enumerate(outcomes, start=1):
        if number % (cases // 10) == 0:
            curve[number] = resident_mb()
    curve_mb = list(curve.values())
    peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)
    return {
        "cases": cases, "mb": curve, "peak_mb": peak_mb, "cpu_s": round(time.process_time() - start, 1),
        "growth_mb": round(curve_mb[-1] - curve_mb[0], 1), "bytes_a_case": round(
            1e6 * (curve_mb[-1] - curve_mb[0]) / (0.9 * cases)
        ),
    }  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("simulated", "real"))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("-o", "--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = (simulated if asked.kind == "simulated" else real)(asked.cases, Path(folder))
    print(json.dumps(found, indent=2))
    if asked.out:
        known = json.loads(asked.out.read_text()) if asked.out.exists() else {}
        asked.out.write_text(json.dumps(known | {asked.kind: found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
