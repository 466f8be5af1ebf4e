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
    folder: Path,
    model: str = "",
    networks: tuple[str, ...] = (),
    recipe: str = "",
    precision: str = "float32",
    volumes: tuple[str, ...] = ("ed", "es"),
    group: str = "ed",
) -> Path:
    origin = {"reference": "acdc", "model_sha256": model, "weights_sha256": networks}
    origin |= {"recipe_sha256": recipe, "precision": precision, "split": "seed 0, 2 folds"}
    dice = {"mean": 0.9, "std": 0.1, "n": 2}
    row = {"label": "lv_cavity", "group": group, "per_volume": {"dice": dice, "hd95_mm": dice}}
    mae = {"mean": 2.0, "low": 1.0, "high": 3.0}
    agreement = {"lv_edv_ml": {"n": 2, "bias": mae, "mae": mae, "sd": 1.0}} if group == "all" else {}
    rows = [{"subject_id": "p1", "label": "lv_cavity", "volume": name, "dice": 0.9} for name in volumes]
    rows.append({"subject_id": "p2", "label": "rv_cavity", "volume": "phase03", "dice": None})  # both masks are empty
    document = {"origin": origin, "summary": [row], "agreement": agreement, "volumes": rows}
    (folder / "evaluation.json").write_text(json.dumps(document))
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
    ("volumes", "said", "measured"),
    [
        (("ed",), "ED", "ED"),
        (("es", "es"), "ES", "ES"),
        (("es", "ed"), "ED and ES", "ED and ES"),
        (("ed", "es", "phase07"), "ED, ES and other phases", "ED and ES"),
        (("ed", "phase07"), "ED and other phases", "ED"),
    ],
)
def test_figures_say_the_phases_that_are_there(
    volumes: tuple[str, ...], said: str, measured: str, tmp_path: Path
) -> None:
    path = evaluation(tmp_path, model=MODEL, volumes=volumes, group="all")
    figures = read_figures(path, MODEL, NETWORKS, RECIPE, "float32")
    assert [figure.protocol.removeprefix("acdc, seed 0, 2 folds; ") for figure in figures] == [
        *[f"mean over volumes in 3D, {said}"] * 2,
        *[f"over subjects, at the reference's {measured}"] * 2,
    ]


def test_figures_of_volumes_without_a_moment_say_so(tmp_path: Path) -> None:
    path = evaluation(tmp_path, model=MODEL, volumes=("",), group="all")
    dice, *_ = read_figures(path, MODEL, NETWORKS, RECIPE, "float32")
    assert dice.protocol.endswith("mean over volumes in 3D, phases that are not known as ED or ES")


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


@pytest.mark.parametrize(
    ("trained", "said"),
    [
        (("p3",), ""),
        (("p1", "p3"), ", not a test: by their names, 1 of 2 subjects were in the training of this model"),
        (("p1", "p2"), ", not a test: by their names, the 2 subjects were in the training of this model"),
    ],
)
def test_figures_of_training_subjects_say_so(trained: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (figure,) = read_figures(evaluation(tmp_path, model=MODEL), MODEL, NETWORKS, RECIPE, "float32", trained=trained)
    assert figure.protocol == f"acdc, seed 0, 2 folds{said}; mean over volumes in 3D, ED"
    run = evaluation(tmp_path, networks=NETWORKS, recipe=RECIPE)  # each network on subjects that it has not seen
    (figure,) = read_figures(run, MODEL, NETWORKS, RECIPE, "float32", trained=trained)
    assert "not a test" not in figure.protocol
