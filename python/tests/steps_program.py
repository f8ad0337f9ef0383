"""A program of steps for tests: its first argument says which. Keep src/sdk/testdata/steps.ts the same."""

import json
import os
import pathlib
import sys
import time
from typing import Any, Dict, List

import slipway


@slipway.in_image
def load(count: int) -> List[int]:
    return list(range(count))


@slipway.in_image
def double(number: int) -> int:
    return 2 * number


@slipway.in_image
def sum(numbers: List[int], more: Dict[str, int]) -> int:
    total = more["offset"]
    for each in numbers:
        total += each
    return total


@slipway.in_image
def nothing() -> None:
    pass


@slipway.in_image
def describe(values: List[Any]) -> str:
    return json.dumps(values)


@slipway.in_image
def fail() -> int:
    raise ValueError("the tide is out")


@slipway.in_image
def meet(own: str, other: str) -> str:
    """Ends when another call, that looks for this one's mark, runs at the same time."""
    pathlib.Path(own).touch()
    while not os.path.exists(other):
        time.sleep(0.01)
    return "met"


@slipway.in_image
def waits(mark: str) -> None:
    # The test kills this process when the file appears, so it is whole from the start.
    pathlib.Path(f"{mark}.new").write_text(str(os.getpid()))
    os.replace(f"{mark}.new", mark)
    time.sleep(600)


MARKS = os.environ.get("MARKS", "")


def graph() -> Any:
    doubled = double.map(load.submit(3))
    offset = double.submit(2)
    total = sum.submit(doubled, {"offset": offset})
    return describe([{"value": total}, {"value": nothing.submit()}, {"value": 7}])


def mapped() -> Any:
    return slipway.map_in_image([double.submit(1), 5, double.submit(3)], double)


def together() -> Any:
    return describe((meet.submit(f"{MARKS}/a", f"{MARKS}/b"), meet.submit(f"{MARKS}/b", f"{MARKS}/a")))


def failing() -> Any:
    return sum([double.submit(1), fail.submit()], {"offset": double.submit(2)})


def forgotten() -> Any:
    double.submit(1)
    fail.submit()


def interrupted() -> Any:
    running = waits.submit(f"{MARKS}/waits")
    while not os.path.exists(f"{MARKS}/waits"):
        time.sleep(0.01)
    if len(sys.argv) > 2:
        print("waiting", flush=True)
        return running.result()
    raise ValueError("the body")


def inside() -> Any:
    print("before")
    first = load(2)
    print("after")
    return double.map(first).result()


def program() -> None:
    print(json.dumps(globals()[sys.argv[1]]()))


slipway.main(program)
