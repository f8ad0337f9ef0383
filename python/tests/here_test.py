"""Functions of a program that its pipeline did not start: they run in its own process."""

import asyncio
import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from typing import Any, List

import slipway
from slipway import _engine

states: List[Any] = []


@slipway.in_image(name="here_scratch")
def scratch(text: str) -> Any:
    path = pathlib.Path(slipway.scratch_folder(), "a.txt")
    path.write_text(text)
    return {"folder": slipway.scratch_folder(), "file": slipway.file(path)}


@slipway.in_image(name="here_read")
def read(file: slipway.File) -> str:
    return pathlib.Path(file.path).read_text()


@slipway.in_image(name="here_change")
def change(items: List[Any]) -> List[Any]:
    items.append(1)
    return items


@slipway.in_image(name="here_half", retries=3, resources={"memory": "1GiB", "instance_type": "big"}, keep=True)
def half(number: int) -> float:
    return 1 / number


@slipway.in_image(name="here_later")
async def later(number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


@slipway.in_image(name="here_many", batch={"size": 3, "wait": 0}, setup=lambda: states.append("set up"), teardown=lambda _: states.append("torn down"))
def many(_: Any, numbers: List[int]) -> List[Any]:
    return [[number, len(numbers)] for number in numbers]


class Here(unittest.TestCase):
    def setUp(self) -> None:
        patch = unittest.mock.patch.dict(os.environ)
        patch.start()
        self.addCleanup(patch.stop)
        for name in [each for each in os.environ if each.startswith("SLIPWAY_")]:
            del os.environ[name]
        _engine._is_told = True

    def test_hand_on_copies_and_files(self) -> None:
        given: List[Any] = [b"a", (2,)]
        self.assertEqual((change(given), given), ([b"a", [2], 1], [b"a", (2,)]))
        made = scratch("hello")
        self.assertFalse(os.path.exists(made["folder"]))
        self.assertEqual((made["file"].read(), read(made["file"])), (b"hello", "hello"))
        with self.assertRaises(slipway.UserError):
            change([{1}])

    def test_raise_their_own_errors(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            half(0)
        self.assertEqual(half(2), 0.5)
        with self.assertRaises(slipway.MapError) as raised:
            slipway.map_in_image([1, 0, 2], half)
        self.assertEqual([each.index for each in raised.exception.failures], [1])
        with self.assertRaises(ZeroDivisionError) as failed:
            list(half.stream(iter([1, 0])))
        self.assertEqual(failed.exception.index, 1)  # type: ignore[attr-defined]

    def test_may_be_asynchronous_wherever_they_are_called(self) -> None:
        async def call() -> int:
            return later(1)

        self.assertEqual((later(1), asyncio.run(call()), later.submit(1).result(), later.map([1, 2]).result()), (2, 2, 2, [2, 3]))

    def test_take_items_in_batches(self) -> None:
        self.assertEqual(slipway.map_in_image(range(4), many), [[0, 3], [1, 3], [2, 3], [3, 1]])
        self.assertEqual((many(7), list(many.stream(iter([8])))), ([7, 1], [[8, 1]]))
        with contextlib.suppress(SystemExit):
            slipway.main(lambda: None)
        self.assertEqual(states, ["set up", "torn down"])

    def test_are_run_one_by_one_as_a_stream_is_taken(self) -> None:
        taken = iter(range(10))
        results = later.stream(taken)
        self.assertEqual((next(results), next(results), next(taken)), (1, 2, 2))

    def test_say_so_once(self) -> None:
        _engine._is_told = False
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            half(1), half(1)
        self.assertEqual(said.getvalue(), "slipway: functions run in this process, because its pipeline did not start it\n")

    def test_leave_nothing_behind(self) -> None:
        program = "import slipway\nf = slipway.in_image(name='f')(lambda file: slipway.scratch_folder())\nprint(f(slipway.file(__file__)))\n"
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "program.py")
            path.write_text(program)
            environment = {**os.environ, "TMPDIR": folder, "PYTHONPATH": os.pathsep.join(sys.path)}
            out = subprocess.run([sys.executable, str(path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            self.assertTrue(out.decode().startswith(folder))
            self.assertEqual(os.listdir(folder), ["program.py"])


if __name__ == "__main__":
    unittest.main()
