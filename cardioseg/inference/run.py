"""Run: the work on all cases, wherever it is done, one bad case never stopping the rest, and the tables at its end."""

import json
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.errors import CardiosegError
from cardioseg.execution.executor import Executor, Lost
from cardioseg.execution.here import Here
from cardioseg.files import first_free, write_text
from cardioseg.inference.cases import RUN_FILE, Case, Findings
from cardioseg.inference.formats import NIFTI
from cardioseg.inference.ledger import END, LEDGER_FILE, OTHER, OUTCOME, UNUSED, Ledger, Outcomes
from cardioseg.inference.outcome import FAILED, Outcome, write_summary
from cardioseg.inference.session import Model
from cardioseg.inference.work import Prediction, Progress, silent
from cardioseg.measure.curves import Moments

_PACKAGES = ("numpy", "SimpleITK", "pydicom", "scikit-image")
_FEWER = "(is there enough memory? try it with fewer --workers)"


def predict_all(
    found: Iterable[Findings],
    model: Model,
    out: Path,
    overwrite: bool = False,
    report: Progress = silent,
    *,
    formats: Collection[str] = (NIFTI,),
    moments: Moments = Moments(),  # noqa: B008 - frozen
    paths: bool = True,
    executor: Executor = Here(),  # noqa: B008 - frozen
    tables: Path | None = None,
) -> Iterator[Outcome]:
    """Predict every case, yielding what became of each; the summary is written when the last is done.

    Args:
        found: the cases, unit by unit.
        model: what to run.
        out: gets a folder a case, `status.csv`, `measures.csv`, `run.json` and `report.html`.
        overwrite: do again what is done.
        report: called with the case, the number of its slices done and of all, where it is done in this process.
        formats: what to write of each mask.
        moments: phases that a person chose, for every case.
        paths: whether `out` says where the scans lie.
        executor: where the work is done.
        tables: of a part of a run: the folder for its tables, without a report; its ledger stays there.
    """
    start, ledger = time.perf_counter(), Ledger(((tables or out) / LEDGER_FILE,))
    earlier = _earlier_seconds(tables or out, ledger)
    ledger.begin(_description(model, moments), getattr(found, "digest", ""))
    with _probe(out, executor) as probe:
        sources = tuple(getattr(found, "sources", ()))
        progress = report if executor.is_here else silent
        work = Prediction(model, out, overwrite, formats, moments, sources, probe, progress)
        try:
            for case, result in executor.map(work, _drawn(found, ledger, paths)):
                outcome = _lost(case, result) if isinstance(result, Lost) else result
                ledger.add_outcome(outcome if paths else _hidden(outcome, case))
                yield outcome
        except CardiosegError:
            if not any(ledger.all(OUTCOME)):  # there is nothing to gather
                ledger.remove()
            raise
    ledger.add(END, {"seconds": round(time.perf_counter() - start, 2)})
    write_summary(out, Outcomes(ledger), document(ledger, earlier), tables)
    if tables is None:
        ledger.remove()


def document(ledger: Ledger, earlier: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What `run.json` says beside the cases; `earlier` are the seconds of cases that were done before."""
    taken = {one["case_id"]: round(one["seconds"], 2) for one in ledger.all(OUTCOME)}
    known = {name: seconds or (earlier or {}).get(name) for name, seconds in sorted(taken.items())}
    return next(ledger.descriptions()) | {
        "seconds": round(sum(end["seconds"] for end in ledger.all(END)), 2),
        "seconds_by_case": {name: seconds for name, seconds in known.items() if seconds},
        "other_series": sorted(ledger.all(OTHER), key=_place),
        "unused_files": sorted(ledger.all(UNUSED), key=_place),
    }


def _place(item: Mapping[str, str]) -> tuple[str, str]:
    return item["where"], item["why"]


def _description(model: Model, moments: Moments) -> dict[str, Any]:
    return {
        "version": __version__,
        "model": {"name": model.card.name, "sha256": model.card.sha256, "licence": model.card.licence},
        "labels": list(model.card.labels),
        "chosen_phases": asdict(moments),
        "device": model.device,
        "packages": {name: version(name) for name in _PACKAGES} | {"onnxruntime": model.runtime},
    }


@contextmanager
def _probe(out: Path, executor: Executor) -> Iterator[Path | None]:
    """A file in `out` by which other processes know that they see the same folder."""
    if executor.is_here:
        yield None
        return
    path = out.absolute() / f".probe-{secrets.token_hex(8)}"
    write_text(path, "")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _drawn(found: Iterable[Findings], ledger: Ledger, paths: bool) -> Iterator[Case]:
    """The cases as they are found, each under a name that no other has had; what else is found is noted."""
    taken: set[str] = set()
    for unit in found:
        shown = unit if paths else unit.without_paths()
        for kind, items in ((OTHER, shown.others), (UNUSED, shown.unused)):
            for item in items:
                ledger.add(kind, asdict(item))
        for case in unit.cases:
            yield replace(case, case_id=first_free(case.case_id, taken))


def _lost(case: Case, lost: Lost) -> Outcome:
    return Outcome(case.case_id, case.source, FAILED, f"{lost.reason} {_FEWER}")


def _hidden(outcome: Outcome, case: Case) -> Outcome:
    return replace(outcome, source=None, reason=case.without_paths(outcome.reason))


def _earlier_seconds(tables: Path, ledger: Ledger) -> dict[str, float]:
    """What cases took in an earlier run that finished, or did not."""
    known = {one["case_id"]: round(one["seconds"], 2) for one in ledger.all(OUTCOME) if one["seconds"]}
    try:
        return dict(json.loads((tables / RUN_FILE).read_text(encoding="utf-8"))["seconds_by_case"]) | known
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return known
