"""A card takes figures of its own model, or of other networks of its recipe, and says which."""

import json
from pathlib import Path

import pytest

from cardioseg.errors import UsageError
from cardioseg.evaluation.subject_groups import SubjectGroup
from cardioseg.export.card_figures import read_figures
from cardioseg.image.labels import Label
from cardioseg.measure.spread import spread

MODEL, NETWORKS, RECIPE = "m" * 64, ("a" * 64, "b" * 64), "r" * 64


def evaluation(
    folder: Path, model: str = "", networks: tuple[str, ...] = (), recipe: str = "", precision: str = "float32"
) -> Path:
    origin = {"reference": "acdc", "model_sha256": model, "weights_sha256": networks}
    origin |= {"recipe_sha256": recipe, "precision": precision, "split": "seed 0, 2 folds"}
    dice = {"mean": 0.9, "std": 0.1, "n": 2}
    row = {"label": "lv_cavity", "group": "ed", "per_volume": {"dice": dice}}
    (folder / "evaluation.json").write_text(json.dumps({"origin": origin, "summary": [row], "agreement": {}}))
    return folder


@pytest.mark.parametrize(
    ("origin", "data"),
    [
        ({"model": MODEL}, "acdc, seed 0, 2 folds"),
        ({"networks": NETWORKS, "recipe": RECIPE}, "acdc, seed 0, 2 folds"),
        ({"networks": ("c" * 64,), "recipe": RECIPE}, "acdc, by other networks of this recipe, seed 0, 2 folds"),
        (
            {"networks": (*NETWORKS, "c" * 64), "recipe": RECIPE},
            "acdc, by the networks of its cross validation, seed 0, 2 folds",
        ),
    ],
)
def test_figures_say_whose_they_are(origin: dict[str, str], data: str, tmp_path: Path) -> None:
    (figure,) = read_figures(evaluation(tmp_path, **origin), MODEL, NETWORKS, RECIPE, "float32")
    assert figure.mean == 0.9
    assert figure.protocol == f"{data}; mean over volumes in 3D, ED"


@pytest.mark.parametrize(
    "origin",
    [
        {"model": "n" * 64},
        {"networks": ("c" * 64,), "recipe": "s" * 64},  # another recipe, or another dataset
        {
            "networks": NETWORKS[:1],
            "recipe": RECIPE,
        },  # one of the two has seen what they are judged on
        {"networks": NETWORKS, "recipe": RECIPE, "precision": "int8"},
        {"networks": ("c" * 64,), "recipe": RECIPE, "precision": "int8"},
        {},
    ],
)
def test_figures_of_another_model_are_refused(origin: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="belongs to another model"):
        read_figures(evaluation(tmp_path, **origin), MODEL, NETWORKS, RECIPE, "float32")


def test_figures_of_a_group_name_it(tmp_path: Path) -> None:
    group = SubjectGroup(
        name="Siemens",
        subjects=2,
        dice={Label.LV_CAVITY: spread([0.8, 0.9])},
        lowest_dice={Label.LV_CAVITY: 0.8},
        errors={"lv_ef_percent": spread([-2.0, 4.0]), "lv_edv_ml": spread([1.0, 2.0])},
        absolute_errors={"lv_ef_percent": spread([2.0, 4.0]), "lv_edv_ml": spread([1.0, 2.0])},
    )
    path = evaluation(tmp_path, model=MODEL) / "evaluation.json"
    document = json.loads(path.read_text()) | {"subject_groups": list(group.rows())}
    path.write_text(json.dumps(document))
    _, *of_group = read_figures(tmp_path, MODEL, NETWORKS, RECIPE, "float32")
    assert [(figure.label, figure.metric, round(figure.mean, 3)) for figure in of_group] == [
        ("lv_cavity", "Dice", 0.85),
        ("lv_ef_percent", "bias", 1.0),
        ("lv_ef_percent", "mean absolute error", 3.0),
    ]
    assert all(figure.protocol.endswith("ED and ES, group Siemens") for figure in of_group)


def test_figures_of_integers_are_those_of_integers(tmp_path: Path) -> None:
    origin = {"networks": NETWORKS, "recipe": RECIPE}
    with pytest.raises(UsageError, match="belongs to another model"):
        read_figures(evaluation(tmp_path, **origin), MODEL, NETWORKS, RECIPE, "int8")
    assert read_figures(evaluation(tmp_path, **origin, precision="int8"), MODEL, NETWORKS, RECIPE, "int8")


def test_an_evaluation_that_does_not_know_of_integers_is_of_none(tmp_path: Path) -> None:
    path = evaluation(tmp_path, networks=NETWORKS, recipe=RECIPE) / "evaluation.json"
    path.write_text(path.read_text().replace('"precision": "float32", ', ""))
    assert read_figures(tmp_path, MODEL, NETWORKS, RECIPE, "float32")
