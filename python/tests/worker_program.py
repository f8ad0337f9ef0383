"""A program for the tests of workers."""

import asyncio
import logging
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict, List

import slipway

print("at import")
OUT = os.environ.get("OUT", "")


@slipway.in_image
def double(number: int) -> int:
    return 2 * number


@slipway.in_image
def nothing() -> None:
    pass


@slipway.in_image
def same(value: Any) -> Any:
    return value


@slipway.in_image
def fail(text: str) -> None:
    raise ValueError(text)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nothing")


@slipway.in_image
def fail_badly() -> None:
    raise Unspeakable


@slipway.in_image
def refuse() -> None:
    raise slipway.UserError("No.\nGo home.")


@slipway.in_image
def unsendable() -> Any:
    return {"a": {1}}


@slipway.in_image
def say(word: str) -> str:
    print(f"{word} one")
    sys.stdout.write(f"{word} two")
    sys.stderr.write(f"{word} three\n")
    logging.getLogger().warning("%s four", word)
    thread = threading.Thread(target=lambda: print(f"{word} five"))
    thread.start()
    thread.join()
    subprocess.run(["echo", f"{word} child"], check=True)
    return word


@slipway.in_image
def leave(status: Any) -> None:
    print("leaving", end="")
    slipway.scratch_folder()
    sys.exit(status)


@slipway.in_image
def die(status: int) -> None:
    os._exit(status)


@slipway.in_image
def mark(path: str, until: str) -> str:
    """Says that it runs, and goes on once it may."""
    pathlib.Path(path).touch()
    while not os.path.exists(until):
        time.sleep(0.005)
    return path


@slipway.in_image
def variables() -> Dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("SLIPWAY_WORKER")}


@slipway.in_image
def read_input() -> str:
    return sys.stdin.read()


@slipway.in_image
def scratch(text: str) -> List[Any]:
    folder = slipway.scratch_folder()
    path = pathlib.Path(folder, f"{text}.txt")
    path.write_text(text)
    return [folder, slipway.file(path)]


@slipway.in_image
def read(file: slipway.File) -> List[str]:
    return [file.path, pathlib.Path(file.path).read_text()]


running = 0


@slipway.in_image(concurrency=3)
async def meet(count: int) -> int:
    """Ends when so many calls run at once."""
    global running
    running += 1
    while running < count:
        await asyncio.sleep(0.001)
    print(f"met {count}")
    return running


@slipway.in_image(concurrency=2)
def fork_beside(printing: bool) -> int:
    """Forks while another call prints all the time."""
    if printing:
        for number in range(3000):
            print(number)
        return 0
    for _ in range(20):
        child = os.fork()
        if child == 0:
            print("forked")
            os._exit(0)
        os.waitpid(child, 0)
    return 1


barrier = threading.Barrier(3)


@slipway.in_image(concurrency=3)
def meet_in_threads(number: int) -> int:
    barrier.wait(60)
    thread = threading.Thread(target=lambda: print(f"thread {number}"))
    thread.start()
    thread.join()
    return number


@slipway.in_image(concurrency=2)
def leave_thread() -> None:
    sys.exit(5)


def load() -> Dict[str, Any]:
    print("loading")
    path = pathlib.Path(slipway.scratch_folder(), "weights")
    path.write_text("heavy")
    return {"loaded": 1, "path": path}


def unload(model: Dict[str, Any]) -> None:
    pathlib.Path(OUT, "unloaded").write_text(f"{model['loaded']} {model['path'].read_text()}")


@slipway.in_image(setup=load, teardown=unload)
def use(model: Dict[str, Any], number: int) -> List[Any]:
    model["loaded"] += 1
    slipway.scratch_folder()
    return [model["loaded"], number, model["path"].read_text()]


attempts = 0


async def load_late() -> str:
    global attempts
    attempts += 1
    await asyncio.sleep(0)
    if attempts == 1:
        raise ValueError("not yet")
    return "late"


@slipway.in_image(setup=load_late, concurrency=2)
async def use_late(model: str, number: int) -> List[Any]:
    return [model, number]


@slipway.in_image(batch={"size": 3, "wait": "50ms"})
def many(numbers: List[int]) -> List[Any]:
    print("batch")
    if 13 in numbers:
        return numbers[1:]
    return [[number, len(numbers)] if number else {number} for number in numbers]


@slipway.in_image
def outer(number: int) -> List[Any]:
    return [double(number), slipway.map_in_image([1, 2], double), many(7), list(double.stream(iter([4, 5])))]


@slipway.in_image
async def outer_late(number: int) -> Any:
    return await outer_late_inner(number)  # type: ignore[misc]


@slipway.in_image
async def outer_late_inner(number: int) -> int:
    await asyncio.sleep(0)
    return number


@slipway.in_image
def forked() -> int:
    """A child process is no worker, and cannot speak for this one."""
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.waitpid(child, 0)[1]


@slipway.in_image
def pool() -> List[int]:
    """Child processes that print, and end as they like."""
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            print(f"forked {number}")
            if number:
                sys.exit(number)
            return [99]
        children.append(child)
    made = slipway.scratch_folder()
    statuses = [os.waitpid(child, 0)[1] >> 8 for child in children]
    return statuses if os.path.isdir(made) else []


def program() -> Any:
    if slipway.inside_image():
        print("the body")
        return {"arguments": sys.argv[1:]}
    return None


if __name__ == "__main__":
    slipway.main(program)
