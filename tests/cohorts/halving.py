"""Work for a test of executors, in a file of its own so that processes which ran no test can load it."""

import os
import signal
from dataclasses import dataclass

from cardioseg.errors import ResourceError, UnusableError


@dataclass(frozen=True)
class Halving:
    """Halves numbers. 13 is refused, and -1 kills whoever begins it; `refuses` where it cannot be done at all."""

    refuses: bool = False

    def prepare(self) -> None:
        if self.refuses:
            raise ResourceError("nothing can be seen here", "mount it")

    def __call__(self, item: int) -> tuple[int, int]:
        if item == 13:
            raise UnusableError("13", "take another")
        if item == -1:
            os.kill(os.getpid(), signal.SIGKILL)
        return item // 2, os.getpid()
