"""cardioseg beside nnU-Net and MONAI on one machine: slices a second, peak memory, size on disk.

    python -m venv peers && peers/bin/pip install torch==2.13.0 nnunetv2 monai
    python tests/benchmarks/peers.py --peers peers/bin/python -o docs/performance/peers.json

The same synthetic volumes go through each tool's own prediction code, from an array in memory to a label array on its
grid: nnU-Net v2's 2d configuration for ACDC (its published architecture, patch and spacing; without mirroring at test
time), MONAI's short-axis bundle (network, transforms and inferer of its inference.json), and `segment` with the
built-in model. The weights of the other two are random, which changes nothing in their time. Each turn is a process of
its own; the tools take turns; the first volume warms up and is not counted.
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

Volumes = list[np.ndarray]


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


def cardioseg(spacing_mm: list[float]) -> Callable[[np.ndarray], np.ndarray]:
    """This project, as `predict` does it."""
    from cardioseg.image.volume import Cine, Grid
    from cardioseg.inference.segment import segment
    from cardioseg.inference.session import find_model, open_model

    model = open_model(find_model("sax"), "cpu")

    def predict(volume: np.ndarray) -> np.ndarray:
        grid = Grid(volume.shape, (spacing_mm[0], spacing_mm[1], spacing_mm[2]))
        return segment(Cine(volume[None], grid), model).mask.voxels[0]

    return predict


TOOLS = {"nnU-Net": nnunet, "MONAI": monai, "cardioseg": cardioseg}


def measured(tool: str, volumes: Volumes, spacing_mm: list[float]) -> dict[str, float]:
    """One turn of one tool, in this process."""
    predict = TOOLS[tool](spacing_mm)
    if np.squeeze(predict(volumes[0])).size != volumes[0].size:
        raise ValueError(f"{tool} gives no label for each voxel")
    start, started = time.perf_counter(), time.process_time()
    for volume in volumes[1:]:
        predict(volume)
    slices = sum(len(volume) for volume in volumes[1:])
    return {
        "slices_per_s": slices / (time.perf_counter() - start),
        "cpu_s_per_slice": (time.process_time() - started) / slices,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def turn(python: str, tool: str, volumes: Path) -> dict[str, float]:
    """One turn of one tool, in a process of its own."""
    done = subprocess.run(
        [python, __file__, "--tool", tool, "--volumes", str(volumes)], check=True, stdout=subprocess.PIPE
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def installed_mb(python: str, *packages: str) -> float:
    """Disk space of packages and all that they need, as their own records list it."""
    code = Path(__file__).with_name("installed.py")
    done = subprocess.run([python, str(code), *packages], check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


def write_volumes(path: Path, count: int) -> None:
    """Synthetic volumes: phases of a phantom."""
    from cardioseg.phantom import Phantom, cine

    made = cine(Phantom(slices=10, phases=count, rows=256, columns=216, spacing_mm=(10.0, 1.5625, 1.5625)))
    np.savez(path, voxels=made.voxels, spacing_mm=made.grid.spacing_mm)


def main() -> None:
    """Measure, print, write; with --tool: one turn of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--peers", default=sys.executable, help="The Python that has nnunetv2 and monai.")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--count", type=int, default=4, help="Volumes of ten slices a turn, the first not counted.")
    parser.add_argument("--tool", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--volumes", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tool:
        stored = np.load(options.volumes)
        print(json.dumps(measured(options.tool, list(stored["voxels"]), stored["spacing_mm"].tolist())))
        return
    result = compare(options.peers, options.turns, options.count)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def compare(peers: str, turns: int, count: int) -> dict[str, Any]:
    """All tools in turns; medians, and ratios of cardioseg to the others turn by turn."""
    pythons = {"nnU-Net": peers, "MONAI": peers, "cardioseg": sys.executable}
    needs = {"nnU-Net": ("nnunetv2",), "MONAI": ("monai", "nibabel"), "cardioseg": ("cardioseg", "onnxruntime")}
    with tempfile.TemporaryDirectory() as folder:
        volumes = Path(folder) / "volumes.npz"
        write_volumes(volumes, count)
        times = [{tool: turn(python, tool, volumes) for tool, python in pythons.items()} for _ in range(turns)]
    result = {
        tool: {
            "slices_per_s": median(one[tool]["slices_per_s"] for one in times),
            "cardioseg_is_faster": median(
                one["cardioseg"]["slices_per_s"] / one[tool]["slices_per_s"] for one in times
            ),
            "cpu_s_per_slice": median(one[tool]["cpu_s_per_slice"] for one in times),
            "peak_mb": median(one[tool]["peak_mb"] for one in times),
            "installed_mb": installed_mb(python, *needs[tool]),
        }
        for tool, python in pythons.items()
    }
    for tool, figures in result.items():
        print(tool, ", ".join(f"{name} {value:.3g}" for name, value in figures.items()))
    return {"turns": turns, "slices": 10 * (count - 1), "cores": os.cpu_count(), "tools": result}


if __name__ == "__main__":
    main()
