"""Maps items in its own image, or waits there."""

import json
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


def program():
    if slipway.inside_image():
        return sys.argv[1:]
    if sys.argv[1] == "wait":
        slipway.map_in_image([1, 2], wait)
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
