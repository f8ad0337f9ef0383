"""Does with other tools what squares.py does: `pool N`, `ray N` and `loop N`."""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor


def square(n):
    return n * n


def table(n):
    import pandas

    return int(pandas.Series(range(n)).sum())


def pool(count):
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as executor:
        results = list(executor.map(square, range(count)))
    return time.perf_counter() - start, results == [n * n for n in range(count)]


def ray(count):
    import ray

    start = time.perf_counter()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    remote = ray.remote(square)
    results = ray.get([remote.remote(n) for n in range(count)])
    return time.perf_counter() - start, results == [n * n for n in range(count)]


def loop(count):
    """With the start of the process, from the time that is its third argument."""
    results = [table(n) for n in range(count)]
    return time.time() - float(sys.argv[3]), results == [sum(range(n)) for n in range(count)]


if __name__ == "__main__":
    seconds, is_right = {"pool": pool, "ray": ray, "loop": loop}[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({"seconds": seconds, "isRight": is_right}))
