"""What is freed stays with the process, so that the system need not clear it again."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from cardioseg.memory import KEEP_FREED

FAULTS = """
import resource
import torch
from cardioseg.network.unet import UNet
from cardioseg.training.optimization import Optimization
from cardioseg.training.step import step_of

torch.set_num_threads(1)
step = step_of(UNet(2, "in").train(), Optimization())
batch = torch.rand(1, 1, 128, 128), torch.zeros(1, 128, 128, dtype=torch.int64)

def faults(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        step(*batch, 0.01)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(4)
print(faults(20))
"""


def _faults(environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-c", FAULTS]
    return int(subprocess.run(command, capture_output=True, check=True, env=os.environ | environment).stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only glibc's malloc has these thresholds")
def test_a_training_step_keeps_its_memory() -> None:
    """Page faults of the steps after the first ones, with the thresholds and without."""
    assert 4 * _faults(KEEP_FREED) < _faults({})
