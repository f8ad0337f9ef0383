"""A program for the tests of functions: its first argument says which of its calls to make."""

import json
import os
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List

import slipway


class TideError(Exception):
    pass


@slipway.in_image
def add(one: int, other: int) -> Dict[str, Any]:
    print("adding")
    subprocess.run(["echo", "from a child"], check=True)
    return {"sum": one + other, "pid": os.getpid(), "argument": sys.argv[1]}


@slipway.in_image
def fail() -> None:
    try:
        raise ValueError("the moon")
    except ValueError as moon:
        raise TideError("the tide is out") from moon


@slipway.in_image(name="leaves")
def leave(status: int) -> None:
    sys.exit(status)


@slipway.in_image
def leaves_a_child(_item: int) -> int:
    return subprocess.Popen(["sleep", "1000"]).pid


def two_of_one_name() -> None:
    @slipway.in_image(name="twin")
    def one() -> int:
        return 1

    @slipway.in_image(name="twin")
    def other() -> int:
        return 2


@slipway.in_image
async def later() -> int:
    return 5


@slipway.in_image
async def fails_late() -> int:
    raise TideError("late")


@slipway.in_image
def unsendable() -> complex:
    return 1j


@slipway.in_image
def outer() -> int:
    return int(add(2, 3)["sum"])


@slipway.in_image(retries=2)
def third(marks: str) -> int:
    with open(marks, "a") as file:
        file.write("x")
    if os.path.getsize(marks) < 3:
        raise TideError("not yet")
    return os.path.getsize(marks)


@slipway.in_image(time_limit="1s", retries=1)
def slow() -> None:
    time.sleep(600)


@slipway.in_image(env={"DECLARED": "line one\nline two"})
def declared() -> Any:
    return [os.environ.get("DECLARED"), os.environ.get("SLIPWAY_WORKER")]


@slipway.in_image
def square(number: int) -> int:
    if number == 13:
        raise TideError("thirteen")
    if number == 17:
        os._exit(7)
    # The later ones are the faster ones.
    time.sleep(max(0.0, 0.2 - 0.02 * number))
    return number * number


@slipway.in_image
def squares(numbers: List[int]) -> List[Any]:
    return slipway.map_in_image(numbers, square)


@slipway.in_image
def waits(_item: int = 0) -> None:
    print(f"waiting as {os.getpid()}", file=sys.stderr, flush=True)
    time.sleep(600)


@slipway.in_image
def prints(item: str) -> str:
    print(f"{item} one\n{item} two")
    print(f"{item} three", end="", file=sys.stderr)
    return item


def fails_in_map() -> Any:
    try:
        slipway.map_in_image(range(20), square, parallelism=5)
    except slipway.MapError as error:
        return [str(error), [each.index for each in error.failures]]
    return None


def itself(then: Callable[[], Any]) -> Any:
    return then() if slipway.inside_image() else slipway.run_in_image(args=[sys.argv[1], "--deep"])


SCENARIOS: Dict[str, Callable[[], Any]] = {
    "add": lambda: add(1, 2),
    "fail": fail,
    "leave": lambda: leave(7),
    "later": later,
    "late": fails_late,
    "leaves_a_child": lambda: [leaves_a_child(1), *slipway.map_in_image([1, 2], leaves_a_child)],
    "two_of_one_name": two_of_one_name,
    "complex": unsendable,
    "keys": lambda: add({1: 2}, 3),
    "outer": outer,
    "declared": declared,
    "third": lambda: third(os.environ["MARKS"]),
    "map_third": lambda: slipway.map_in_image([os.environ["MARKS"]], third, retries=1),
    "slow": slow,
    "map": lambda: slipway.map_in_image(list(range(12)), square, parallelism=5),
    "map_limited": lambda: slipway.map_in_image([1, 2, 3], square, resources={"cpu": 0.5, "memory": "1GiB"}),
    "map_typed": lambda: slipway.map_in_image([1, 2, 3], square, resources={"cpu": 1, "instance_type": "big"}),
    "map_volume": lambda: slipway.map_in_image([1], square, volumes={"/data": {"folder": "/nowhere/at/all"}}),
    "map_by_name": lambda: slipway.map_in_image([1, 2], "square"),
    "map_prints": lambda: slipway.map_in_image(["a", "b"], prints),
    "map_nothing": lambda: slipway.map_in_image([], square),
    "map_fails": fails_in_map,
    "map_settles": lambda: [str(each) for each in slipway.map_in_image([2, 13, 17], square, return_exceptions=True)],
    "map_inside": lambda: squares([2, 3]),
    "map_nobody": lambda: slipway.map_in_image([1], "cube"),
    "map_waits": lambda: slipway.map_in_image([1, 2, 3], waits, parallelism=2),
    "engine": lambda: list(slipway.engine()),
    "itself": lambda: itself(lambda: sys.argv[1:]),
    "itself_leaves": lambda: itself(lambda: sys.exit(3)),
    "itself_for_ever": lambda: slipway.run_in_image(args=sys.argv[1:]),
}


def program() -> Any:
    result = SCENARIOS[sys.argv[1]]()
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    slipway.main(program)
