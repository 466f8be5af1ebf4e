"""`measure`: numbers, flags and a report from masks that somebody edited."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.cli.results import ED, ES, Phases, chosen, chosen_by_case, finish, say_copies, say_outcome, say_unmet


def measure(
    masks: Annotated[Path, typer.Argument(help="What `predict` wrote, edited or not, or a folder of NIfTI masks.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Gets a folder a case, tables and report.html.")],
    ed: ED = None,
    es: ES = None,
    phases: Phases = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Measure MASKS again, after they were edited."""
    from cardioseg.files import sole_writer
    from cardioseg.inference.outcome import Tally
    from cardioseg.inference.remeasure import find_edited, measure_all

    moments, by_case = chosen(ed, es), chosen_by_case(phases)
    tally, unmet = Tally(), dict.fromkeys(by_case)
    with sole_writer(out), console.progress(quiet or as_json) as bars:
        found = find_edited(masks, out)
        everything = bars.add_task("cases", total=len(found.paths))
        for outcome in measure_all(found, out, moments, by_case):
            tally.count(outcome)
            unmet.pop(outcome.case_id, None)
            bars.advance(everything)
            say_outcome(outcome, quiet)
    say_copies(out, quiet)
    say_unmet(unmet, quiet)
    return finish(out, tally, quiet, as_json)
