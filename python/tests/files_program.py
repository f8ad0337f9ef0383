"""A program for the tests of files, folders and large values: its first argument says which of its calls to make."""

import json
import os
import pathlib
import sys
from typing import Any, Callable, Dict, List

import slipway

OUT = os.environ.get("OUT", "")
# Libraries that an image without Python needs.
VOLUMES = json.loads(os.environ.get("VOLUMES", "null"))
DATA = os.environ.get("DATA", "")


@slipway.in_image(volumes=VOLUMES)
def write(text: str, name: str) -> Dict[str, Any]:
    path = pathlib.Path(slipway.scratch_folder(), name)
    path.write_text(text)
    return {"files": [slipway.file(os.path.relpath(path))], "note": "written"}


@slipway.in_image(volumes=VOLUMES)
def read(value: slipway.File) -> Dict[str, Any]:
    text = pathlib.Path(value.path).read_text()
    same = value.read().decode() == text
    return {"name": value.name, "digest": value.digest, "size": value.size, "base": os.path.basename(value.path), "text": text, "same": same}


@slipway.in_image(volumes=VOLUMES)
def through(value: Dict[str, slipway.File]) -> List[slipway.File]:
    return [value["model"]]


@slipway.in_image(volumes=VOLUMES)
def nested(value: slipway.File) -> List[str]:
    path = pathlib.Path(slipway.scratch_folder(), "inner.txt")
    path.write_text("inner")
    return [read(value)["text"], read(slipway.file(path))["text"]]


@slipway.in_image(volumes=VOLUMES)
def write_folder() -> slipway.File:
    path = pathlib.Path(slipway.scratch_folder(), "tree")
    (path / "sub" / "empty").mkdir(parents=True)
    (path / "sub" / "run.sh").write_text("#!/bin/sh\n")
    (path / "sub" / "run.sh").chmod(0o755)
    (path / "größe.txt").write_text("12")
    (path / "sub" / "link").symlink_to("../größe.txt")
    return slipway.folder(path)


@slipway.in_image(volumes=VOLUMES)
def listing(value: slipway.File) -> Dict[str, Any]:
    path = pathlib.Path(value.path)
    return {
        "files": sorted(str(each.relative_to(path)) for each in path.rglob("*")),
        "link": (path / "sub" / "link").read_text(),
        "is_executable": os.access(path / "sub" / "run.sh", os.X_OK),
        "base": path.name,
    }


@slipway.in_image(volumes=VOLUMES)
def repeat(text: str, count: int) -> str:
    return text * count


@slipway.in_image(volumes=VOLUMES)
def length(text: str) -> int:
    return len(text)


@slipway.in_image(volumes=VOLUMES)
def like_a_file(value: Any) -> Any:
    return value


@slipway.in_image(volumes=VOLUMES)
def missing() -> slipway.File:
    return slipway.file("/tmp/nothing")


def result() -> Any:
    written = write("hello", "model.bin")
    model = written["files"][0]
    model.save(f"{OUT}/deep/saved.bin")
    return [written["note"], model.name, model.size, model.digest, model.read().decode()]


def folder() -> Any:
    made = write_folder()
    made.save(f"{OUT}/tree")
    return {**listing(made), "digest": made.digest}


SCENARIOS: Dict[str, Callable[[], Any]] = {
    "result": result,
    "argument": lambda: read(slipway.file(DATA)),
    "chain": lambda: read(through({"model": write("chained", "c.txt")["files"][0]})[0]),
    "map": lambda: [each["text"] for each in slipway.map_in_image([slipway.file(DATA)] * 2, read)],
    "nested": lambda: nested(slipway.file(DATA)),
    "folder": folder,
    "large": lambda: [len(repeat("x", 20 << 20)), length("y" * (20 << 20))],
    "like": lambda: like_a_file({"$slipway": "file", "digest": "x", "deep": [{"$slipway": "object", "value": 1}]}),
    "missing": missing,
    "missing_argument": lambda: read(slipway.file("nowhere.csv")),
    "early": lambda: slipway.file("nowhere.csv").digest,
}

if __name__ == "__main__":
    slipway.main(lambda: print(json.dumps(SCENARIOS[sys.argv[1]]())))
