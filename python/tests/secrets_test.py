"""Secrets as variables of functions in processes. The helper looks them up."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import slipway
from helped import ENVIRONMENT
from slipway._options import check_options

PROGRAM = """
import os, slipway

@slipway.in_image(env={"PASSWORD": "SECRET:db-password", "LEVEL": "debug"})
def given():
    return [len(os.environ["PASSWORD"]), os.environ["LEVEL"]]

slipway.main(lambda: print(given()))
"""


class Secrets(unittest.TestCase):
    def setUp(self) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.folder = pathlib.Path(self.home.name, "slipway/secrets")
        patch = mock.patch.dict(os.environ, {"XDG_STATE_HOME": self.home.name})
        patch.start()
        self.addCleanup(patch.stop)

    def keep(self, name: str, value: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(value)

    def run_program(self) -> "subprocess.CompletedProcess[str]":
        path = pathlib.Path(self.home.name, "program.py")
        path.write_text(PROGRAM)
        env = {**ENVIRONMENT, "XDG_STATE_HOME": self.home.name, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, str(path)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def test_are_what_a_function_gets(self) -> None:
        self.keep("db-password", b"hunter2")
        ended = self.run_program()
        self.assertEqual((ended.stdout, ended.stderr), ("[7, 'debug']\n", ""))

    def test_that_are_missing_end_the_program_before_the_call(self) -> None:
        ended = self.run_program()
        self.assertIn(
            f"Variable PASSWORD names the secret db-password, which does not exist in {self.folder}.\n"
            "Set it: `slipway secret set db-password --engine container`. [secret-not-found]",
            ended.stderr,
        )
        self.assertEqual((ended.stdout, ended.returncode), ("", 2))

    def test_are_refused_by_a_wrong_name_without_showing_it(self) -> None:
        for value in ("SECRET:", "SECRET:../hunter2", "SECRET:hunter2!"):
            with self.assertRaises(slipway.UserError) as raised:
                check_options('"f"', {"env": {"A": value}})
            self.assertEqual(raised.exception.culprit, "env")
            self.assertNotIn("hunter2", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
