"""Work: what is done with each case, as it is sent to the processes that do it."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from cardioseg.archive.member_paths import exists
from cardioseg.cases.case import Case
from cardioseg.errors import ResourceError
from cardioseg.files import write_text
from cardioseg.inference.session import Model
from cardioseg.prediction.case_prediction import predict_case
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.catalogue import Catalogue
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.outcome import Outcome

Progress = Callable[[Case, int, int], None]


def silent(_case: Case, _done: int, _of: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Prediction:
    """Predicts cases.

    Attributes:
        model: what to run; its bytes go to each process once.
        out: the folder of all cases.
        settings: what a person asked for.
        sources: where scans are looked for; each process must see them.
        probe: a file that each process must see beside the cases; none where it is this process.
        run: id of the run, if the results do not say where the scans lie.
        report: called with the case, the number of its slices done and of all.
    """

    model: Model
    out: Path
    settings: Settings = Settings()  # noqa: RUF009 - frozen
    sources: tuple[Path, ...] = ()
    probe: Path | None = None
    run: str | None = None
    report: Progress = field(default=silent, repr=False)

    @cached_property
    def catalogue(self) -> Catalogue:
        """What lies in `out`, as this process finds it."""
        return Catalogue(ResultsFolder(self.out), self.sources, self.run)

    def prepare(self) -> None:
        """Make sure that this process sees the scans and can write where the results go.

        Raises:
            ResourceError: it does not, or cannot.
        """
        if self.probe is None:
            return
        for path in (*self.sources, self.probe):
            if not exists(path):
                place = path if path != self.probe else self.out
                hint = "every worker needs the same files at the same paths"
                raise ResourceError(f"{place} does not exist on {platform.node()}, or is another folder there", hint)
        own = self.probe.with_name(f"{self.probe.name}-{platform.node()}-{os.getpid()}")
        write_text(own, "")
        own.unlink(missing_ok=True)

    def __call__(self, case: Case) -> Outcome:
        """What becomes of a case."""
        progress = partial(self.report, case)
        return predict_case(case, self.model, self.out, self.settings, progress, catalogue=self.catalogue)
