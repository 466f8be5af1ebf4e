"""cardioseg beside nnU-Net and MONAI on one machine: slices a second, peak memory, size on disk.

    python -m venv peers && peers/bin/pip install torch==2.13.0 nnunetv2 monai
    python tests/benchmarks/peers.py --peers peers/bin/python [-m MODEL]... -o docs/performance/peers.json

The same synthetic cine goes through each tool's own prediction code, from an array in memory to a label array on its
grid: nnU-Net v2's 2d configuration for ACDC (its published architecture, patch and spacing; without mirroring at test
time), MONAI's short-axis bundle (network, transforms and inferer of its inference.json), and `segment` with each MODEL
(a built-in one or a folder). The others take a volume at a time, `segment` the cine. Their weights are random, which
changes nothing in their time. Each turn is a process of its own; the tools take turns; the first phase warms up and is
not counted.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

STAGES = 7
ACDC_2D = {
    "data_identifier": "nnUNetPlans_2d",
    "preprocessor_name": "DefaultPreprocessor",
    "batch_size": 58,
    "patch_size": [256, 224],
    "spacing": [1.5625, 1.5625],
    "normalization_schemes": ["ZScoreNormalization"],
    "use_mask_for_norm": [False],
    "resampling_fn_data": "resample_data_or_seg_to_shape",
    "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
    "resampling_fn_seg": "resample_data_or_seg_to_shape",
    "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
    "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
    "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
    "batch_dice": True,
    "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": STAGES,
            "features_per_stage": [32, 64, 128, 256, 512, 512, 512],
            "conv_op": "torch.nn.modules.conv.Conv2d",
            "kernel_sizes": [[3, 3]] * STAGES,
            "strides": [[1, 1]] + [[2, 2]] * 5 + [[2, 1]],
            "n_conv_per_stage": [2] * STAGES,
            "n_conv_per_stage_decoder": [2] * (STAGES - 1),
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    },
}


def nnunet(spacing_mm: list[float]) -> Callable[[np.ndarray], np.ndarray]:
    """nnU-Net v2, configuration 2d."""
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ[name] = tempfile.gettempdir()
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    described = {"channel_names": {"0": "cineMRI"}, "labels": {"background": 0, "RV": 1, "MLV": 2, "LVC": 3}}
    plans = PlansManager(
        {
            "dataset_name": "Dataset027_ACDC",
            "plans_name": "nnUNetPlans",
            "original_median_spacing_after_transp": [10.0, 1.5625, 1.5625],
            "original_median_shape_after_transp": [9, 256, 216],
            "image_reader_writer": "SimpleITKIO",
            "transpose_forward": [0, 1, 2],
            "transpose_backward": [0, 1, 2],
            "configurations": {"2d": ACDC_2D},
            "experiment_planner_used": "ExperimentPlanner",
            "label_manager": "LabelManager",
            "foreground_intensity_properties_per_channel": {"0": {}},
        }
    )
    network = ACDC_2D["architecture"]
    built = get_network_from_plans(
        network["network_class_name"],  # type: ignore[index]
        network["arch_kwargs"],  # type: ignore[index]
        network["_kw_requires_import"],  # type: ignore[index]
        1,
        4,
        deep_supervision=False,
    )
    predictor = nnUNetPredictor(
        use_mirroring=False, perform_everything_on_device=False, device=torch.device("cpu"), allow_tqdm=False
    )
    predictor.manual_initialization(
        built, plans, plans.get_configuration("2d"), [built.state_dict()], described, "nnUNetTrainer", None
    )
    properties = {"spacing": spacing_mm}
    return lambda volume: predictor.predict_single_npy_array(volume[None].astype(np.float32), dict(properties))


def monai(spacing_mm: list[float]) -> Callable[[np.ndarray], np.ndarray]:
    """MONAI's bundle `ventricular_short_axis_3label`: its network, transforms and inferer."""
    import torch
    from monai.inferers import SliceInferer
    from monai.networks.nets import UNet
    from monai.transforms import Activations, AsDiscrete, Compose, EnsureChannelFirst, EnsureType, ScaleIntensity

    network = UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=4,
        channels=(16, 32, 64, 128, 256),
        strides=(2, 2, 2, 2),
        num_res_units=2,
    ).eval()
    before = Compose([EnsureChannelFirst(channel_dim="no_channel"), ScaleIntensity(), EnsureType()])
    after = Compose([Activations(softmax=True), AsDiscrete(argmax=True)])
    infer = SliceInferer(roi_size=(256, 256), spatial_dim=2)

    def predict(volume: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(after(infer(before(volume.transpose(1, 2, 0))[None], network)[0]))

    return predict


def cardioseg(spacing_mm: list[float], name: str) -> Callable[[np.ndarray], np.ndarray]:
    """This project, as `predict` does it; takes a volume or a cine."""
    from cardioseg.image.volume import Cine, Grid
    from cardioseg.inference.segmentation import segment
    from cardioseg.inference.session import find_model, open_model

    model = open_model(find_model(name), "cpu")

    def predict(voxels: np.ndarray) -> np.ndarray:
        phases = voxels.reshape(-1, *voxels.shape[-3:])
        grid = Grid(phases.shape[1:], (spacing_mm[0], spacing_mm[1], spacing_mm[2]))
        return segment(Cine(phases, grid), model).mask.voxels

    return predict


PEERS = {"nnU-Net": nnunet, "MONAI": monai}


def measured(tool: str, cine: np.ndarray, spacing_mm: list[float]) -> dict[str, float]:
    """One turn of one tool, in this process."""
    predict = PEERS[tool](spacing_mm) if tool in PEERS else cardioseg(spacing_mm, tool)
    if np.squeeze(predict(cine[0])).size != cine[0].size:
        raise ValueError(f"{tool} gives no label for each voxel")
    start, started = time.perf_counter(), time.process_time()
    for part in cine[1:] if tool in PEERS else [cine[1:]]:
        predict(part)
    slices = cine[1:].shape[0] * cine.shape[1]
    return {
        "slices_per_s": slices / (time.perf_counter() - start),
        "cpu_s_per_slice": (time.process_time() - started) / slices,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def turn(python: str, tool: str, cine: Path) -> dict[str, float]:
    """One turn of one tool, in a process of its own."""
    command = [python, __file__, "--tool", tool, "--cine", str(cine)]
    environment = {"OPENBLAS_NUM_THREADS": "1"} | os.environ  # as our command line has it: NumPy's threads only wait
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def installed_mb(python: str, *packages: str) -> float:
    """Disk space of packages and all that they need, as their own records list it."""
    code = Path(__file__).with_name("installed.py")
    done = subprocess.run([python, str(code), *packages], check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


def write_cine(path: Path, phases: int) -> None:
    """A phantom, as ACDC's scans are: ten slices."""
    from cardioseg.phantom import Phantom, cine

    made = cine(Phantom(slices=10, phases=phases, rows=256, columns=216, spacing_mm=(10.0, 1.5625, 1.5625)))
    np.savez(path, voxels=made.voxels, spacing_mm=made.grid.spacing_mm)


def networks(model: str) -> int:
    """How many networks a model is."""
    from cardioseg.export.card import read_card
    from cardioseg.inference.session import find_model

    return len(read_card(find_model(model)).training.weights_sha256)


def main() -> None:
    """Measure, print, write; with --tool: one turn of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--peers", default=sys.executable, help="The Python that has nnunetv2 and monai.")
    parser.add_argument("-m", "--model", action="append", help="As often as there are models; without: sax.")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--phases", type=int, default=9, help="Of ten slices each, the first not counted.")
    parser.add_argument("--tool", help=argparse.SUPPRESS)
    parser.add_argument("--cine", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tool:
        stored = np.load(options.cine)
        print(json.dumps(measured(options.tool, stored["voxels"], stored["spacing_mm"].tolist())))
        return
    result = compare(options.peers, options.model or ["sax"], options.turns, options.phases)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def compare(peers: str, models: list[str], turns: int, phases: int) -> dict[str, Any]:
    """All tools in turns; medians, and ratios of each model to the peers turn by turn."""
    pythons = dict.fromkeys(PEERS, peers) | dict.fromkeys(models, sys.executable)
    needs = {"nnU-Net": ("nnunetv2",), "MONAI": ("monai", "nibabel")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cine.npz"
        write_cine(path, phases)
        times = [{tool: turn(python, tool, path) for tool, python in pythons.items()} for _ in range(turns)]
    result: dict[str, Any] = {"turns": turns, "slices": 10 * (phases - 1), "cores": os.cpu_count(), "tools": {}}
    for tool, python in pythons.items():
        figures: dict[str, Any] = {key: median(one[tool][key] for one in times) for key in times[0][tool]}
        figures["installed_mb"] = installed_mb(python, *needs.get(tool, ("cardioseg", "onnxruntime")))
        if tool in models:
            figures["networks"] = networks(tool)
            figures["times_as_fast"] = {
                peer: {key: median(ratio(one, tool, peer, key) for one in times) for key in ("wall", "cpu")}
                for peer in PEERS
            }
        result["tools"][Path(tool).name if tool in models and Path(tool).is_dir() else tool] = figures
        print(tool, json.dumps(figures), flush=True)
    return result


def ratio(one: dict[str, dict[str, float]], tool: str, peer: str, key: str) -> float:
    """How many times as fast a tool is in one turn, by the clock on the wall or by the processor's."""
    if key == "wall":
        return one[tool]["slices_per_s"] / one[peer]["slices_per_s"]
    return one[peer]["cpu_s_per_slice"] / one[tool]["cpu_s_per_slice"]


if __name__ == "__main__":
    main()
