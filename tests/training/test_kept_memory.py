"""Freed memory stays with the process: what the next step takes, the system need not clear again."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from cardioseg.training.memory import keep_freed
{call}
def step():
    for _ in range(3):
        torch.empty(16 << 20).fill_(1)  # 64 MB
for _ in range(10):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(call: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS.format(call=call)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_the_next_step_takes_no_new_pages() -> None:
    assert faults("keep_freed()") < faults("") / 4
