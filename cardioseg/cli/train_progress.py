"""Train progress: bars on a terminal; without a terminal, one line per minute. Also the time that is left."""

import time
from typing import TYPE_CHECKING

from cardioseg.cli import console
from cardioseg.wording import counted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from cardioseg.training.journal import StepRecord

_EVERY_S = 60


class Pace:
    """Progress over the steps of one fold after the other.

    Args:
        bars: on the terminal, with the fields `loss` and `speed`.
        folds: how many are to be trained.
        plain: whether nothing is said.
    """

    def __init__(self, bars: "Progress", folds: int, plain: bool) -> None:
        self._bars, self._folds, self._plain = bars, folds, plain
        self._is_estimated = False

    def begin(self, fold: int, steps: int, done: int) -> None:
        """A fold of so many steps begins, of which some are done already."""
        self._name, self._done = f"fold {fold}", done
        self._task: TaskID = self._bars.add_task(self._name, total=steps, completed=done, loss="", speed="")
        self._start = self._said = time.monotonic()
        self._folds -= 1
        if self._bars.disable:
            resumed = f", {done:,} of them done" if done else ""
            console.say(f"{self._name}: {counted(steps, 'step')}{resumed}", self._plain)

    def report(self, record: "StepRecord") -> None:
        """So many steps are done; after the first of them, how long all will take."""
        loss, speed = f"loss {record.loss:.4f}", f"{record.images_per_s:.2f} images/s"
        self._bars.update(self._task, completed=record.step, loss=loss, speed=speed)
        a_step_s = (time.monotonic() - self._start) / (record.step - self._done)
        left_s = a_step_s * (record.steps - record.step)
        if not self._is_estimated:
            console.say(f"{self._name}: {self._estimate(record, left_s, a_step_s)}", self._plain)
        elif self._bars.disable and time.monotonic() - self._said >= _EVERY_S:
            left = console.duration(left_s)
            console.say(
                f"{self._name}: step {record.step:,} of {record.steps:,}, {loss}, {speed}, {left} left", self._plain
            )
        else:
            return
        self._is_estimated, self._said = True, time.monotonic()

    def _estimate(self, record: "StepRecord", left_s: float, a_step_s: float) -> str:
        """By the first steps; the other folds are about as long."""
        text = f"about {console.duration(left_s)} left at {record.images_per_s:.2f} images/s"
        if not self._folds:
            return text
        return f"{text}, {console.duration(left_s + self._folds * a_step_s * record.steps)} for all folds"
