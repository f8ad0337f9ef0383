"""Does in Python what squares.ts does. `table N` also calls a function that needs pandas N times."""

import json
import statistics
import sys
import time

from slipway import in_image, main


@in_image
def square(n):
    return n * n


@in_image
def busy(_):
    """Returns the seconds that it took."""
    start = time.perf_counter()
    while time.perf_counter() - start < 0.001:
        pass
    return time.perf_counter() - start


@in_image
def table(n):
    import pandas

    return int(pandas.Series(range(n)).sum())


def run_map(count):
    start = time.perf_counter()
    results = square.map(range(count), parallelism=2).result()
    return {"seconds": time.perf_counter() - start, "isRight": results == [n * n for n in range(count)]}


def run_busy(count):
    start = time.perf_counter()
    times = busy.map(range(count), parallelism=2).result()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "share": sum(times) / (2 * seconds), "isRight": len(times) == count}


def run_single(count):
    square(1)
    times = []
    for n in range(count):
        start = time.perf_counter()
        square(n)
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times), "isRight": True}


def run_stream(count):
    rates = []
    start = last = time.perf_counter()
    for n, result in enumerate(square.stream(range(count), parallelism=2)):
        if result != n * n:
            return {"seconds": 0, "isRight": False}
        if (n + 1) % (count // 10) == 0:
            now = time.perf_counter()
            rates.append(round(count / 10 / (now - last)))
            last = now
    return {"seconds": time.perf_counter() - start, "rates": rates, "isRight": n + 1 == count}


def run_table(count):
    start = time.perf_counter()
    results = table.map(range(count), parallelism=2).result()
    return {"seconds": time.perf_counter() - start, "isRight": results == [sum(range(n)) for n in range(count)]}


@main
def program():
    what, count = sys.argv[1:]
    runs = {"map": run_map, "busy": run_busy, "single": run_single, "stream": run_stream, "table": run_table}
    print(json.dumps(runs[what](int(count))))
