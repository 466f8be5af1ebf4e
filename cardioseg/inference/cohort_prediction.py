"""Run: the work on all cases, wherever it is done, one bad case never stopping the rest, and the tables at its end."""

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
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
from cardioseg.inference.catalogue import Catalogue
from cardioseg.inference.chosen_phases import Choices
from cardioseg.inference.formats import NIFTI
from cardioseg.inference.ledger import END, LEDGER_FILE, OTHER, OUTCOME, UNUSED, Ledger, Outcomes
from cardioseg.inference.listing import every_outcome
from cardioseg.inference.outcome import FAILED, Outcome, write_summary
from cardioseg.inference.predict_settings import Settings
from cardioseg.inference.scan import Scan
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
    by_case: Mapping[str, Moments] | None = None,
    discard_edits: bool = False,
    paths: bool = True,
    executor: Executor = Here(),  # noqa: B008 - frozen
    named: Callable[[Case, str], None] = lambda *_: None,
    tables: Path | None = None,
) -> Iterator[Outcome]:
    """Predict every case, yielding what became of each; the summary is written when the last is done.

    Args:
        found: the cases, unit by unit.
        model: what to run.
        out: gets a folder a case, and `status.csv`, `measures.csv`, `run.json` and `report.html` of all that lie in it.
        overwrite: do again what is done; edited masks are kept.
        report: called with the case, the number of its slices done and of all, where it is done in this process.
        formats: what to write of each mask.
        moments: phases that a person chose, for every case.
        by_case: phases that a person chose for single cases, by their names in `out`.
        discard_edits: do again what was edited; the edits are lost.
        paths: whether `out` says where the scans lie.
        executor: where the work is done.
        named: called with each case and the name that it has in `out`.
        tables: of a part of a run: the folder for its tables, without a report; its ledger stays there.
    """
    start, ledger = time.perf_counter(), Ledger(((tables or out) / LEDGER_FILE,))
    earlier = earlier_seconds(out, tables or out, ledger)
    choices = Choices(moments, by_case or {})
    settings = Settings(overwrite, discard_edits, formats, choices, paths)
    ledger.begin(_description(model, choices), getattr(found, "digest", ""))
    with _probe(out, executor) as probe:
        sources = tuple(getattr(found, "sources", ()))
        progress = report if executor.is_here else silent
        work = Prediction(model, out, settings, sources, probe, progress)
        try:
            for case, result in executor.map(work, _drawn(found, ledger, paths)):
                outcome = _lost(case, result, out) if isinstance(result, Lost) else result
                named(case, outcome.case_id)
                ledger.add_outcome(outcome if paths else _hidden(outcome, case))
                yield outcome
        except CardiosegError:
            if not any(ledger.all(OUTCOME)):  # there is nothing to gather
                ledger.remove()
            raise
    ledger.add(END, {"seconds": round(time.perf_counter() - start, 2)})
    if tables is not None:
        write_summary(out, Outcomes(ledger), document(ledger, earlier), tables)
        return
    with every_outcome(out, ledger, model.card.sha256) as outcomes:
        write_summary(out, outcomes, document(ledger, earlier))
    ledger.remove()


def document(ledger: Ledger, earlier: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What `run.json` says beside the cases; `earlier` are the seconds of cases that were done before."""
    taken = {one["case_id"]: round(one["seconds"], 2) for one in ledger.all(OUTCOME)}
    known = dict(sorted((dict(earlier or {}) | {name: seconds for name, seconds in taken.items() if seconds}).items()))
    return next(ledger.descriptions()) | {
        "seconds": round(sum(end["seconds"] for end in ledger.all(END)), 2),
        "seconds_by_case": {name: seconds for name, seconds in known.items() if seconds},
        "other_series": sorted(ledger.all(OTHER), key=_place),
        "unused_files": sorted(ledger.all(UNUSED), key=_place),
    }


def _place(item: Mapping[str, str]) -> tuple[str, str]:
    return item["where"], item["why"]


def _description(model: Model, choices: Choices) -> dict[str, Any]:
    return {
        "version": __version__,
        "model": {"name": model.card.name, "sha256": model.card.sha256, "licence": model.card.licence},
        "labels": list(model.card.labels),
        "chosen_phases": choices.document(),
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


def _lost(case: Case, lost: Lost, out: Path) -> Outcome:
    return Outcome(Catalogue(out).free_name(Scan(case)), case.source, FAILED, f"{lost.reason} {_FEWER}")


def _hidden(outcome: Outcome, case: Case) -> Outcome:
    return replace(outcome, source=None, reason=case.without_paths(outcome.reason))


def earlier_seconds(out: Path, tables: Path, ledger: Ledger) -> dict[str, float]:
    """What the cases that lie in `out` took in an earlier run, that finished or did not."""
    known = {one["case_id"]: round(one["seconds"], 2) for one in ledger.all(OUTCOME) if one["seconds"]}
    with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
        known = dict(json.loads((tables / RUN_FILE).read_text(encoding="utf-8"))["seconds_by_case"]) | known
    return {name: seconds for name, seconds in known.items() if (out / name).is_dir()}
