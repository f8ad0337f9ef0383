"""How a program speaks to the helper that makes calls."""

import errno
import json
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
from typing import Any, List

from slipway import Failure, UserError, _engine

ANSWER = '{"index": 0, "outcome": {"status": 1}}'


class Helper(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_by(self, on_outcome: Any, *script: str) -> None:
        """Has a helper that is this script make calls."""
        helper = self.folder / "helper"
        lines = [f"#!{sys.executable}", "import pathlib, sys", "sys.stdin.readline()", *script]
        helper.write_text("\n".join(lines))
        helper.chmod(0o755)
        os.environ.pop("SLIPWAY_ENGINE_SOCKET", None)
        # Without the one that serves all calls.
        with unittest.mock.patch.object(_engine, "_own_server", return_value=None):
            _engine._run_helper(str(helper), {}, _engine._Listener(on_outcome, lambda _: None, lambda *_: None))

    def test_fails_when_it_breaks_off_in_the_middle_of_an_answer(self) -> None:
        outcomes: List[int] = []
        with self.assertRaisesRegex(Failure, "status 7") as raised:
            self.run_by(
                lambda index, _: outcomes.append(index),
                f"print('{ANSWER}')",
                "sys.stdout.write('{\"index\": 1, \"outc')",
                "sys.exit(7)",
            )
        self.assertEqual(outcomes, [0])
        self.assertEqual(raised.exception.code, "program-failed")

    def test_says_in_one_sentence_that_it_cannot_be_started(self) -> None:
        for number, remedy in ((errno.EMFILE, "ulimit -n"), (errno.ENOENT, "Build the pipeline's target again")):
            error = OSError(number, os.strerror(number))
            with unittest.mock.patch("subprocess.Popen", side_effect=error), self.assertRaises(Failure) as raised:
                self.run_by(lambda *_: None)
            self.assertEqual(raised.exception.code, "program-failed")
            self.assertRegex(str(raised.exception), f"/helper cannot be started: .*\n.*{remedy}")

    def test_gives_the_program_its_error_as_it_is(self) -> None:
        error = {"name": "UserError", "code": "cluster-login", "culprit": "u", "message": "No.\nLog in.", "details": ""}
        with self.assertRaises(UserError) as raised:
            self.run_by(lambda *_: None, f"print({json.dumps(json.dumps({'error': error}))})")
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("cluster-login", "u"))

    def test_is_left_to_end_what_runs_when_the_program_is_interrupted(self) -> None:
        def interrupt(_index: int, _outcome: Any) -> None:
            raise KeyboardInterrupt

        mark = self.folder / "ended"
        with self.assertRaises(KeyboardInterrupt):
            self.run_by(
                interrupt,
                f"print('{ANSWER}', flush=True)",
                "sys.stdin.read()",
                # More than a pipe holds.
                f"print('{ANSWER}\\n' * 100000, flush=True)",
                f"pathlib.Path('{mark}').touch()",
            )
        self.assertTrue(mark.exists())


if __name__ == "__main__":
    unittest.main()
