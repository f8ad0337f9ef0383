"""Which species is a penguin? Compares nearest-neighbour models, as steps that run in the image."""

import csv
import json
import pathlib
from collections import Counter

import slipway

# Change the version of a step when its results are no longer right. Only that step runs again, and what takes another result of it.


@slipway.in_image(keep=True, version="1")
def load():
    """Reads the penguins whose measures are complete."""
    path = pathlib.Path(__file__).with_name("penguins.csv")
    penguins = []
    with path.open(newline="") as rows:
        for species, _, *cells in list(csv.reader(rows))[1:]:
            if all(cell not in ("", "NA") for cell in cells[:4]):
                penguins.append({"species": species, "measures": [float(cell) for cell in cells[:4]]})
    return penguins


@slipway.in_image(keep=True, version="1")
def split(penguins):
    """Every fifth penguin is asked for; the others are known."""

    def write(name, chosen):
        path = pathlib.Path(slipway.scratch_folder(), name)
        path.write_text(json.dumps(chosen))
        return slipway.file(path)

    return {
        "known": write("known.json", [each for index, each in enumerate(penguins) if index % 5 != 0]),
        "asked": write("asked.json", [each for index, each in enumerate(penguins) if index % 5 == 0]),
    }


@slipway.in_image(keep=True, version="1")
def train(given):
    """Counts how many of the penguins a model takes for what they are."""
    known = json.loads(pathlib.Path(given["parts"]["known"].path).read_text())
    asked = json.loads(pathlib.Path(given["parts"]["asked"].path).read_text())
    columns = zip(*(each["measures"] for each in known))
    spans = [max(values) - min(values) for values in columns]

    def guess(measures):
        def distance(other):
            return sum(((one - two) / span) ** 2 for one, two, span in zip(measures, other["measures"], spans))

        near = sorted(known, key=distance)[: given["neighbours"]]
        return Counter(each["species"] for each in near).most_common(1)[0][0]

    right = sum(guess(each["measures"]) == each["species"] for each in asked)
    return {"neighbours": given["neighbours"], "right": right, "asked": len(asked)}


@slipway.in_image(keep=True, version="1")
def pick(models):
    """The model that is right most often; of equal ones, that with the fewest neighbours."""
    return max(models, key=lambda model: model["right"])


@slipway.in_image(keep=True, version="1")
def plot(models, best):
    """Draws a bar for each model."""
    lines = []
    for row, model in enumerate(models):
        colour = "#0b6e4f" if model["neighbours"] == best["neighbours"] else "#9aa5b1"
        width = int(300 * model["right"] / model["asked"] + 0.5)
        y = 30 * row
        lines += [
            f'<text x="40" y="{y + 20}" text-anchor="end">{model["neighbours"]}</text>',
            f'<rect x="50" y="{y + 5}" width="{width}" height="20" fill="{colour}"/>',
            f'<text x="360" y="{y + 20}">{model["right"]} of {model["asked"]}</text>',
        ]
    size = f'viewBox="0 0 430 {30 * len(models)}" font-family="sans-serif" font-size="14"'
    svg = "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', *lines, "</svg>\n"])
    path = pathlib.Path(slipway.scratch_folder(), "penguins.svg")
    path.write_text(svg)
    return slipway.file(path)


def program():
    parts = split.submit(load.submit())
    models = train.map([{"neighbours": count, "parts": parts} for count in (1, 3, 5, 9, 15, 25, 45, 85)])
    best = pick.submit(models)
    picture = plot.submit(models, best)

    model = best.result()
    print(f"{model['neighbours']} neighbours: {model['right']} of {model['asked']} penguins are right")
    picture.result().save("penguins.svg")
    print("The comparison is in penguins.svg.")


slipway.main(program)
