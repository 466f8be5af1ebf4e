"""`info`: the built-in models and the installed versions."""

from cardioseg.cli import console
from cardioseg.cli.console import AsJson
from cardioseg.errors import ExitCode


def info(as_json: AsJson = False) -> int:
    """List the built-in models and the installed versions.

    The versions are those of cardioseg and its libraries.
    """
    from importlib.metadata import PackageNotFoundError, version

    from cardioseg.export.card import read_card
    from cardioseg.inference.session import built_in_models

    models = {name: read_card(folder) for name, folder in built_in_models().items()}
    packages = {}
    for name in ("cardioseg", "onnxruntime", "onnxruntime-gpu", "torch", "numpy", "SimpleITK", "pydicom"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "not installed"
    if as_json:
        kept = {"labels", "licence", "precision"}
        described = {name: card.model_dump(mode="json", include=kept) for name, card in models.items()}
        console.print_json({"models": described, "packages": packages})
        return ExitCode.OK
    rows = [
        (name, ", ".join(card.labels), card.training.folds, card.precision, card.training.dataset, card.licence)
        for name, card in models.items()
    ]
    columns = ("model", "labels", "networks", "computes in", "trained on", "licence")
    console.print_table("Models", columns, rows, text=set(columns) - {"networks"})
    console.print_table("Packages", ("package", "version"), packages.items(), text=("package", "version"))
    return ExitCode.OK
