"""`gather`: the parts of a run become one."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.case_tables import finish
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.errors import ExitCode


def gather(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that `predict -o` wrote into.")],
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Write tables and report after `predict --part` or a killed run.

    It writes one set of tables and one report into OUT. Use it when all parts are done. If a run was killed, the tables
    and the report list the cases that are done.
    """
    from cardioseg.errors import NoInputError
    from cardioseg.files import sole_writer
    from cardioseg.prediction.gathered_parts import gather as gather_parts
    from cardioseg.results.folder import ResultsFolder

    if not out.is_dir():
        raise NoInputError(f"{out}: no such folder", "give the folder that `cardioseg predict` wrote into")
    with sole_writer(out, is_part=True):
        gathered = gather_parts(out)
    code = finish(ResultsFolder(out), gathered.tally, quiet, as_json, incomplete=gathered.problems)
    for problem in gathered.problems:
        console.say(f"incomplete: {problem}")
    return code or (ExitCode.SOME_FAILED if gathered.problems else ExitCode.OK)
