"""How far `train` is where there is no terminal, and how long it will take."""

from types import SimpleNamespace

import pytest

from cardioseg.cli import train_progress as pace
from cardioseg.cli.console import progress
from cardioseg.cli.train_progress import Pace
from cardioseg.training.journal import StepRecord


def record(step: int, steps: int) -> StepRecord:
    return StepRecord(step, steps, 0, 0.5, 0.1, 12.0, {})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Times that are read one after the other; the last one stays."""
    times = [0.0]
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: times[0]))  # other threads keep their clock
    return times


def test_a_line_a_minute_and_an_estimate_after_the_first_steps(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress(False, "loss", "speed") as bars:
        assert bars.disable
        watch = Pace(bars, 3, plain=False)
        watch.begin(0, 4320, 0)
        for step in range(20, 4321, 20):
            clock[0] = step * 0.5
            watch.report(record(step, 4320))
        watch.begin(1, 4320, 200)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "fold 0: 4,320 steps"
    assert lines[1] == "fold 0: about 35 min left at 12.00 images/s, 1 h 47 min for all folds"
    assert lines[2] == "fold 0: step 140 of 4,320, loss 0.5000, 12.00 images/s, 34 min left"
    assert len(lines) == 1 + 1 + 35 + 1
    assert lines[-1] == "fold 1: 4,320 steps, 200 of them done"


def test_one_step_is_no_plural(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    assert clock
    with progress(False, "loss", "speed") as bars:
        Pace(bars, 1, plain=False).begin(0, 1, 0)
    assert capsys.readouterr().err == "fold 0: 1 step\n"


def test_the_estimate_of_all_folds_where_the_first_fold_is_done_at_once(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress(False, "loss", "speed") as bars:
        watch = Pace(bars, 3, plain=False)
        watch.begin(0, 5, 0)
        clock[0] = 30.0
        watch.report(record(5, 5))
    assert capsys.readouterr().err.splitlines()[1].endswith("1 min for all folds")
