"""Damage: what to say of a JSON file of ours that cannot be read again."""

from pathlib import Path

from pydantic import ValidationError


def damaged(path: Path, error: Exception) -> str:
    """`DATASET/dataset.json is damaged at subjects.0.volumes`: the first place that does not follow the schema.

    Args:
        path: the file.
        error: a `ValidationError` names the place; without one, the file is no JSON.
    """
    if not isinstance(error, ValidationError):
        return f"{path} is damaged"
    place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
    return f"{path} is damaged at {place}" if place else f"{path} is damaged"
