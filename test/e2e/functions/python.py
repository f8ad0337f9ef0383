"""Maps items in its own image, or waits there."""

import json
import os
import sys
import time

import slipway


@slipway.in_image
def square(n):
    return n * n


@slipway.in_image
def fail(n):
    if n == 3:
        raise ValueError("three")
    return n


@slipway.in_image
def wait(_):
    time.sleep(600)


@slipway.in_image(keep=True, version=os.environ.get("KEPT_VERSION"))
def kept(n):
    print(f"ran {n}")
    if n % 100 == 3 and "fail" in sys.argv:
        raise ValueError("three")
    return n * n


@slipway.in_image
def write(text):
    path = f"{slipway.scratch_folder()}/written.txt"
    with open(path, "w") as file:
        file.write(text)
    return slipway.file(path)


@slipway.in_image
def read(value):
    with open(value.path) as file:
        return f"{file.read()} in {value.name}"


def program():
    if slipway.inside_image():
        return sys.argv[1:]
    if sys.argv[1] == "keep":
        count = int(sys.argv[3]) if len(sys.argv) > 3 else 6
        results = slipway.map_in_image(
            range(count), kept, return_exceptions=True
        )
        # Calls by themselves are stored together, before the program ends.
        single = [kept(-10), kept(-11)]
        print(
            json.dumps(
                [
                    *(None if isinstance(each, Exception) else each for each in results),
                    *single,
                ]
            )
        )
        return None
    if sys.argv[1] == "wait":
        slipway.map_in_image([1, 2], wait)
        return None
    if sys.argv[1] == "files":
        written = write("by a pod")
        print(json.dumps([read(written), written.read().decode()]))
        return None
    results = slipway.map_in_image([0, 1, 2, 3, 4, 5], square)
    failed = []
    try:
        slipway.map_in_image([0, 1, 2, 3], fail)
    except slipway.MapError as error:
        failed = [
            [each.index, str(each.error).replace("ValueError: ", "")]
            for each in error.failures
        ]
    itself = slipway.run_in_image(args=["itself"])
    print(
        json.dumps(
            {
                "engine": slipway.engine().kind,
                "results": results,
                "failed": failed,
                "itself": itself,
            }
        )
    )
    return None


slipway.main(program)
