"""Segmentations of 3D Slicer as labels: names, layers, cropped files, and what is refused."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from slicer_files import NAMES, keys, layer_each, one_layer, write_slicer

from cardioseg.cli.app import main
from cardioseg.dataset.store import open_dataset
from cardioseg.errors import UnusableError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.ingest.labels.named_mask import read_named_mask
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure

TILT = ((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (1.0, 0.0, 0.0))
GRID = Grid((6, 24, 20), (8.0, 1.5, 1.25), (-20.0, 11.5, 40.0), TILT)
Writer = Callable[..., Path]
