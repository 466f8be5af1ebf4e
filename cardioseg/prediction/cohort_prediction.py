"""Cohort prediction: every case is predicted, wherever the work is done; a bad case never stops the others."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from cardioseg import __version__
from cardioseg.cases.case import Case, CaseSource
from cardioseg.cases.scan import Scan, is_at_place
from cardioseg.errors import CardiosegError
from cardioseg.execution.executor import Executor, Lost
from cardioseg.execution.in_process import Here
from cardioseg.files import first_free, write_text
from cardioseg.inference.session import Model
from cardioseg.prediction.predict_settings import Settings
from cardioseg.prediction.prediction_work import Prediction, Progress, silent
from cardioseg.results.all_cases import every_outcome
from cardioseg.results.catalogue import Catalogue
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.ledger import END, OTHER, OUTCOME, UNUSED, Ledger, Outcomes
from cardioseg.results.outcome import FAILED, Outcome
from cardioseg.results.run_record import RunRecord, UsedModel, known_run_record
from cardioseg.results.run_tables import write_summary

_PACKAGES = ("numpy", "SimpleITK", "pydicom", "scikit-image")
_FEWER = "(is there enough memory? try it with fewer --workers)"


def predict_all(
    findings: CaseSource,
    model: Model,
    out: Path,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    report: Progress = silent,
    *,
    executor: Executor = Here(),  # noqa: B008 - frozen
    named: Callable[[Case, str], None] = lambda *_: None,
    tables: ResultsFolder | None = None,
) -> Iterator[Outcome]:
    """Predict every case, yielding what became of each; the summary is written when the last is done.

    Args:
        findings: the cases, unit by unit.
        model: what to run.
        out: gets a folder a case, and `status.csv`, `measures.csv`, `run.json` and `report.html` of all that lie in it.
        settings: what a person asked for.
        report: called with the case, the number of its slices done and of all, where it is done in this process.
        executor: where the work is done.
        named: called with each case and the name that it has in `out`.
        tables: of a part of a run: the folder for its tables, without a report; its ledger stays there.
    """
    start, results = time.perf_counter(), ResultsFolder(out)
    ledger = Ledger(((tables or results).ledger,))
    earlier = earlier_seconds(results, tables or results, ledger)
    ledger.begin(_run_record(model, settings), findings.digest)
    with _probe(results, executor) as probe:
        progress = report if executor.is_here else silent
        run = None if settings.paths else secrets.token_hex(8)
        work = Prediction(model, out, settings, findings.sources, probe, run, progress)
        try:
            for case, result in executor.map(work, _drawn(findings, ledger, settings.paths)):
                outcome = _lost(case, result, results) if isinstance(result, Lost) else result
                named(case, outcome.case_id)
                ledger.add_outcome(outcome if settings.paths else _hidden(outcome, case))
                yield outcome
        except CardiosegError:
            if not any(ledger.all(OUTCOME)):  # there is nothing to gather
                ledger.remove()
            raise
    ledger.add(END, {"seconds": round(time.perf_counter() - start, 2)})
    if tables is not None:
        write_summary(results, Outcomes(ledger), run_record(ledger, earlier), tables)
        return
    with every_outcome(results, ledger, is_at_place, model.card.sha256) as outcomes:
        write_summary(results, outcomes, run_record(ledger, earlier))
    ledger.remove()


def run_record(ledger: Ledger, earlier: Mapping[str, float] | None = None) -> RunRecord:
    """What `run.json` says beside the cases; `earlier` are the seconds of cases that were done before."""
    seconds_now = {outcome["case_id"]: round(outcome["seconds"], 2) for outcome in ledger.all(OUTCOME)}
    all_seconds = dict(
        sorted((dict(earlier or {}) | {name: seconds for name, seconds in seconds_now.items() if seconds}).items())
    )
    fields = {
        "seconds": round(sum(end["seconds"] for end in ledger.all(END)), 2),
        "seconds_by_case": {name: seconds for name, seconds in all_seconds.items() if seconds},
        "other_series": sorted(ledger.all(OTHER), key=_place),
        "unused_files": sorted(ledger.all(UNUSED), key=_place),
    }
    return next(ledger.runs()).model_copy(update=fields)


def _place(item: Mapping[str, str]) -> tuple[str, str]:
    return item["where"], item["why"]


def _run_record(model: Model, settings: Settings) -> RunRecord:
    card, training = model.card, model.card.training
    return RunRecord(
        version=__version__,
        model=UsedModel(
            name=card.name,
            sha256=card.sha256,
            licence=card.licence,
            dataset_sha256=training.dataset_sha256,
            held_out=training.held_out,
        ),
        labels=list(model.card.labels),
        chosen_phases=settings.choices.document(),
        device=model.device,
        packages={name: version(name) for name in _PACKAGES} | {"onnxruntime": model.runtime},
    )


@contextmanager
def _probe(results: ResultsFolder, executor: Executor) -> Iterator[Path | None]:
    """A file in the folder by which other processes know that they see the same folder."""
    if executor.is_here:
        yield None
        return
    path = results.new_probe()
    write_text(path, "")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _drawn(findings: CaseSource, ledger: Ledger, paths: bool) -> Iterator[Case]:
    """The cases as they are found, each under names that no other has had; what else is found is noted."""
    taken: set[str] = set()
    for unit in findings:
        shown = unit if paths else unit.without_paths()
        for kind, items in ((OTHER, shown.others), (UNUSED, shown.unused)):
            for item in items:
                ledger.add(kind, asdict(item))
        for case in unit.cases:
            others = tuple(name for name in case.others if name.lower() not in taken)
            yield replace(case, case_id=first_free(case.case_id, taken), others=others)


def _lost(case: Case, lost: Lost, results: ResultsFolder) -> Outcome:
    return Outcome(Catalogue(results).free_name(Scan(case)), case.source, FAILED, f"{lost.reason} {_FEWER}")


def _hidden(outcome: Outcome, case: Case) -> Outcome:
    return replace(outcome, source=None, reason=case.without_paths(outcome.reason))


def earlier_seconds(results: ResultsFolder, tables: ResultsFolder, ledger: Ledger) -> dict[str, float]:
    """What the cases that lie in `results` took in an earlier run, that finished or did not."""
    cut_off = {
        outcome["case_id"]: round(outcome["seconds"], 2) for outcome in ledger.all(OUTCOME) if outcome["seconds"]
    }
    seconds = known_run_record(tables).seconds_by_case | cut_off
    return {name: taken for name, taken in seconds.items() if results.case(name).path.is_dir()}
