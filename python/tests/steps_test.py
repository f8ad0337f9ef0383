"""Calls that take the results of others; here in processes."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from typing import Tuple

from helped import ENVIRONMENT

PROGRAM = str(pathlib.Path(__file__).with_name("steps_program.py"))


def run(scenario: str, **env: str) -> Tuple[str, str, int]:
    ended = subprocess.run(
        [sys.executable, PROGRAM, scenario], env={**ENVIRONMENT, **env}, capture_output=True, text=True, timeout=120
    )
    return ended.stdout, ended.stderr, ended.returncode


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


class Steps(unittest.TestCase):
    def test_take_results_at_any_depth(self) -> None:
        out, err, status = run("graph")
        self.assertEqual((json.loads(json.loads(out)), status), ([{"value": 10}, {"value": None}, {"value": 7}], 0), err)
        self.assertEqual(run("mapped")[0], "[4, 10, 12]\n")

    def test_run_side_by_side(self) -> None:
        with tempfile.TemporaryDirectory() as marks:
            out, err, _ = run("together", MARKS=marks)
        self.assertEqual(json.loads(json.loads(out)), ["met", "met"], err)

    def test_do_not_run_when_one_that_they_take_failed(self) -> None:
        out, err, status = run("failing")
        self.assertEqual((out, status), ("", 1))
        self.assertIn("ValueError: the tide is out", err)
        self.assertNotIn('"sum"', err)

    def test_fail_the_program_if_nobody_took_the_error(self) -> None:
        _, err, status = run("forgotten")
        self.assertIn("ValueError: the tide is out", err)
        self.assertEqual(status, 1)

    def test_end_with_the_program(self) -> None:
        with tempfile.TemporaryDirectory() as marks:
            _, err, status = run("interrupted", MARKS=marks)
            self.assertIn("ValueError: the body", err)
            self.assertEqual(status, 1)
            self.assertFalse(is_running(int(pathlib.Path(marks, "waits").read_text())))

    def test_end_with_an_interrupt(self) -> None:
        with tempfile.TemporaryDirectory() as marks:
            command = [sys.executable, PROGRAM, "interrupted", "wait"]
            child = subprocess.Popen(
                command,
                env={**ENVIRONMENT, "MARKS": marks},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # A shell lets what it runs in the background ignore it.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            assert child.stdout
            self.assertEqual(child.stdout.readline(), "waiting\n")
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=60)
            self.assertIn("KeyboardInterrupt", err)
            self.assertFalse(is_running(int(pathlib.Path(marks, "waits").read_text())))

    def test_are_printed_and_not_run_in_a_dry_run_for_them(self) -> None:
        expected = [
            "would run load",
            "would run double after load",
            "would run double-2",
            "would run sum after double, double-2",
            "would run nothing",
            "would run describe after sum, nothing",
        ]
        out, err, status = run("graph", SLIPWAY_DRY_RUN="steps")
        self.assertEqual((out.splitlines(), status), (expected, 0))
        self.assertIn("waits for describe.", err)
        out, err, status = run("inside", SLIPWAY_DRY_RUN="steps")
        self.assertEqual((out, status), ("before\nwould run load\n", 0))
        self.assertIn("waits for load.", err)

    def test_are_written_down_as_they_are_printed(self) -> None:
        with tempfile.TemporaryDirectory() as state:
            run("graph", XDG_STATE_HOME=state)
            (path,) = pathlib.Path(state, "slipway/runs").iterdir()
            events = [json.loads(line) for line in path.read_text().splitlines()]
        batches = [each["batch"] for each in events if "batch" in each]
        results = {each["item"]["batch"]: each["item"]["result"] for each in events if "result" in each.get("item", {})}
        self.assertEqual((results["load"], "nothing" in results), ("[0,1,2]", False))
        ran = {each["id"] + (f" after {', '.join(each['after'])}" if each["after"] else "") for each in batches}
        printed = run("graph", SLIPWAY_DRY_RUN="steps")[0].splitlines()
        self.assertEqual(ran, {each.replace("would run ", "") for each in printed})


if __name__ == "__main__":
    unittest.main()
