"""What is freed stays with the process, so that the system need not clear it again."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from cardioseg.memory import keep_freed
from cardioseg.network.unet import UNet
from cardioseg.training.optimization import Optimization
from cardioseg.training.step import step_of

if sys.argv[1] == "kept":
    keep_freed()
torch.set_num_threads(1)
step = step_of(UNet(2, "in").train(), Optimization())
batch = torch.rand(1, 1, 128, 128), torch.zeros(1, 128, 128, dtype=torch.int64)

def faults(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        step(*batch, 0.01)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(4)
print(faults(8))
"""


def _faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc's malloc has these thresholds")
def test_a_training_step_keeps_its_memory() -> None:
    """Page faults of the steps after the first ones, with the thresholds and without."""
    assert 4 * _faults("kept") < _faults("given back")
