"""Functions of a program on any engine; here in processes."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any, Dict, Tuple

from helped import ENVIRONMENT

PROGRAM = str(pathlib.Path(__file__).with_name("functions_program.py"))
WHERE = "a process of this machine"


def run(scenario: str, **env: str) -> Tuple[Any, str, int]:
    ended = subprocess.run(
        [sys.executable, PROGRAM, scenario],
        env={**ENVIRONMENT, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return json.loads(ended.stdout or "null"), ended.stderr, ended.returncode


class Functions(unittest.TestCase):
    def test_get_arguments_and_hand_their_result_back(self) -> None:
        result, err, status = run("add")
        self.assertEqual((result["sum"], result["argument"], status), (3, "add", 0))
        self.assertEqual(sorted(err.split("\n")), ["", "adding", "from a child"])
        self.assertEqual(run("later")[0], 5)
        self.assertEqual(run("declared")[0], ["line one\nline two", None])

    def test_raise_with_their_own_traceback_and_cause(self) -> None:
        _, err, status = run("fail")
        self.assertEqual(status, 1)
        self.assertRegex(err, r'functions_program\.py", line \d+, in fail\n.*\n\nThe|ValueError: the moon')
        self.assertRegex(err, r"TideError: the tide is out\n--- raised in a process of this machine ---")
        self.assertIn("slipway._errors.RemoteError: TideError: the tide is out", err)
        self.assertEqual(len(re.findall(r'/slipway/_\w+\.py"', err)), 2)
        _, err, _ = run("late")
        self.assertRegex(err, r'^slipway.*\n.*Traceback.*\n.*functions_program\.py", line \d+, in fails_late\n')
        self.assertNotIn("asyncio", err)

    def test_are_written_down_without_arguments_and_results(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run("map_fails", XDG_STATE_HOME=folder, SLIPWAY_TARGET="//tide:main", PASSWORD="hunter2")
            (path,) = pathlib.Path(folder, "slipway/runs").iterdir()
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertNotIn("hunter2", path.read_text())
            first, *events = [json.loads(line) for line in path.read_text().splitlines()]
            self.assertEqual((first["run"]["program"], first["run"]["engine"]), ("//tide:main", "process"))
            states = [each["item"]["state"] for each in events if "item" in each]
            self.assertEqual((states.count("done"), states.count("failed"), "running" in states), (18, 2, True))
            errors = [each["item"].get("error") for each in events if "item" in each and each["item"]["state"] == "failed"]
            self.assertIn("TideError: thirteen", errors)
            self.assertEqual(events[-1]["end"], {"status": 0})
            run("fail", XDG_STATE_HOME=folder)
            last = sorted(pathlib.Path(folder, "slipway/runs").iterdir())[-1].read_text().splitlines()[-1]
            self.assertEqual(json.loads(last)["end"], {"status": 1})

    def test_are_tried_again_and_say_so(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            result, err, _ = run("third", MARKS=f"{folder}/one")
            self.assertEqual(result, 3)
            for attempt in (1, 2):
                self.assertIn(f"slipway: third: attempt {attempt} of 3 failed; trying again\n", err)
            _, err, status = run("map_third", MARKS=f"{folder}/two")
            self.assertEqual((err.count("trying again"), status), (1, 1))
            self.assertIn("TideError: not yet", err)

    def test_end_at_their_time_limit_each_time(self) -> None:
        _, err, status = run("slow")
        self.assertIn("slipway: slow: attempt 1 of 2 failed; trying again\n", err)
        self.assertIn(f'"slow" failed in {WHERE}: It took longer than its time limit of 1 s.', err)
        self.assertEqual(status, 1)

    def test_end_with_one_clear_sentence(self) -> None:
        for scenario, expected, culprit, code in (
            ("leave", 1, f'"leaves" ended with status 7 in {WHERE}', "function-failed"),
            ("complex", 2, 'result of "unsendable"', "value-invalid"),
            ("keys", 2, 'argument list of "add" cannot be handed on: it[0] has the key 1', "value-invalid"),
            ("map_nobody", 2, '"cube"', "function-failed"),
            ("map_volume", 2, "/data names /nowhere/at/all", "volume-unusable"),
            ("two_of_one_name", 2, '"twin"', "function-failed"),
            ("itself_for_ever", 2, "run_in_image", "function-failed"),
        ):
            with self.subTest(scenario):
                _, err, status = run(scenario)
                self.assertIn(culprit, err)
                self.assertTrue(err.endswith(f" [{code}]\n"), err)
                self.assertEqual(status, expected)
                self.assertNotIn("Traceback", err)

    def test_call_each_other_where_they_are(self) -> None:
        self.assertEqual(run("outer")[0], 5)
        self.assertEqual(run("map_inside")[0], [4, 9])

    def test_run_for_every_item_whatever_becomes_of_the_others(self) -> None:
        self.assertEqual(run("map")[0], [number * number for number in range(12)])
        self.assertEqual(run("map_by_name")[0], [1, 4])
        self.assertEqual(run("map_nothing")[0], [])
        self.assertEqual(run("map_limited")[0], [1, 4, 9])
        message, indices = run("map_fails")[0]
        self.assertEqual(indices, [13, 17])
        self.assertTrue(message.startswith('2 of 20 items of "square" failed: 13, 17.\nitem 13: Traceback'), message)
        self.assertIn(f'item 17: "square" ended with status 7 in {WHERE}', message)
        four, thirteen, seventeen = run("map_settles")[0]
        self.assertEqual((four, thirteen), ("4", "TideError: thirteen"))
        self.assertIn("ended with status 7", seventeen)

    def test_print_whole_lines_after_their_item(self) -> None:
        result, err, _ = run("map_prints")
        self.assertEqual(result, ["a", "b"])
        lines = [f"[prints {item}] {name} {word}" for item, name in enumerate("ab") for word in ("one", "two", "three")]
        self.assertEqual(sorted(err.split("\n")), sorted(["", *lines]))

    def test_the_program_itself_runs_with_its_own_arguments(self) -> None:
        self.assertEqual(run("itself")[0], ["itself", "--deep"])
        _, err, status = run("itself_leaves")
        self.assertIn(f"The program ended with status 3 in {WHERE}", err)
        self.assertIn("[function-failed]", err)
        self.assertEqual(status, 1)

    def test_end_with_what_they_started(self) -> None:
        pids = run("leaves_a_child")[0]
        self.assertEqual((len(pids), [pid for pid in pids if is_running(pid)]), (3, []))

    def test_end_with_the_program(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number), subprocess.Popen(
                [sys.executable, PROGRAM, "map_waits"],
                env=ENVIRONMENT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # A shell lets what it runs in the background ignore it.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            ) as child:
                assert child.stderr
                pid = next(int(line.split()[-1]) for line in child.stderr if "waiting as" in line)
                child.send_signal(number)
                child.wait()
                while is_running(pid):
                    time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return state[0] != "Z"


class Engine(unittest.TestCase):
    def test_is_processes_without_an_image(self) -> None:
        self.assertEqual(run("engine")[0], ["process", "processes of this machine"])

    def test_cannot_be_containers_without_an_image(self) -> None:
        _, err, status = run("engine", SLIPWAY_ENGINE="container")
        self.assertIn("SLIPWAY_ENGINE=container", err)
        self.assertIn("[engine-unavailable]", err)
        self.assertEqual(status, 2)

    def test_needs_the_helper_that_the_launcher_brings(self) -> None:
        image: Dict[str, str] = {"SLIPWAY_CONTAINER_IMAGE": "ubuntu:24.04"}
        _, err, status = run("add", **image, SLIPWAY_ENGINE_HELPER="")
        self.assertIn("SLIPWAY_ENGINE_HELPER", err)
        self.assertIn("[started-by-hand]", err)
        self.assertEqual(status, 2)
        result, err, _ = run("later", **image, SLIPWAY_ENGINE="process", SLIPWAY_ENGINE_HELPER="")
        self.assertEqual((result, err), (5, "slipway: functions run in this process, because its pipeline did not start it\n"))


if __name__ == "__main__":
    unittest.main()
