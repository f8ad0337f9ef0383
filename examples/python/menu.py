"""The menu, from a file in the runfiles."""

import pathlib

import jinja2
import yaml

_TEMPLATE = """{% for dish in dishes %}{{ "%-8s" | format(dish.name) }} {{ "%5.2f" | format(dish.price) }}
{% endfor %}"""


def render(file: str) -> str:
    text = pathlib.Path(__file__).with_name(file).read_text(encoding="utf-8")
    return jinja2.Template(_TEMPLATE).render(yaml.safe_load(text)).rstrip()
