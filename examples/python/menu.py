"""The menu, from a file in the runfiles."""

import pathlib

import yaml


def render(file: str) -> str:
    text = pathlib.Path(__file__).with_name(file).read_text(encoding="utf-8")
    return "\n".join(f"{dish['name']:<8} {dish['price']:5.2f}" for dish in yaml.safe_load(text)["dishes"])
