"""Jobs as documents, and how the command line is asked to run them."""

import json
import os
import stat
import tempfile
import unittest
import unittest.mock

import slipway

# Says what it was asked, as JSON, or ends with the status that STATUS has.
FAKE = """#!/bin/sh
[ -z "$STATUS" ] || exit "$STATUS"
document=$3
printf '{"arguments": "%s", "folder": "%s", "document": %s}' "$1 $2 $4 $6 $7" "$5" "$(cat "$document")"
"""


class Document(unittest.TestCase):
    def test_names_kinds_by_their_classes_and_leaves_out_what_is_not_said(self) -> None:
        job = slipway.Deployment(
            interpreter=slipway.ContainerAtTag(repository="a.io/b"),
            code=slipway.ServerAvailableFolder(code_paths=("code", "lib")),
            function="report:total",
            arguments=[1, {"a": [None]}],
            resources={"memory": "1GiB"},
        )
        self.assertEqual(
            json.loads(json.dumps(job.document())),
            {
                "interpreter": {
                    "ContainerAtTag": {"repository": "a.io/b", "tag": "latest"}
                },
                "code": {"ServerAvailableFolder": {"code_paths": ["code", "lib"]}},
                "function": "report:total",
                "arguments": [1, {"a": [None]}],
                "environment": {},
                "resources": {"memory": "1GiB"},
                "retries": 0,
            },
        )

    def test_takes_no_field_that_a_kind_does_not_have(self) -> None:
        with self.assertRaises(TypeError):
            slipway.GitRepoBranch(repo_url="https://x.example/y", commit="a")  # type: ignore[call-arg]


class Command(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        program = os.path.join(folder.name, "slipway")
        with open(program, "w", encoding="utf-8") as script:
            script.write(FAKE)
        os.chmod(program, stat.S_IRWXU)
        self.env = {**os.environ, "SLIPWAY_COMMAND": program}

    def job(self) -> slipway.Deployment:
        interpreter = slipway.ServerAvailableInterpreter(slipway.SLIPWAY_INTERPRETER)
        return slipway.Deployment(interpreter, function="a.ts")

    def test_runs_the_document_from_the_folder_that_is_meant(self) -> None:
        with unittest.mock.patch.dict("os.environ", self.env):
            asked = slipway.run_job(self.job(), folder=self.folder, engine="process")
        self.assertEqual(asked["document"], self.job().document())
        self.assertEqual(asked["arguments"], "job run --folder --engine process")

    def test_starts_relative_paths_where_bazel_run_was_called(self) -> None:
        called = {**self.env, "BUILD_WORKING_DIRECTORY": self.folder}
        with unittest.mock.patch.dict("os.environ", called):
            for folder, place in {None: "", "pkg": "/pkg", "/x": "/x"}.items():
                asked = slipway.run_job(self.job(), folder=folder)
                expected = place if folder == "/x" else self.folder + place
                self.assertEqual(asked["folder"], expected)

    def test_ends_with_the_status_of_the_job(self) -> None:
        with unittest.mock.patch.dict("os.environ", {**self.env, "STATUS": "37"}):
            with self.assertRaisesRegex(slipway.JobError, "status 37") as raised:
                slipway.run_job(self.job())
        self.assertEqual(raised.exception.status, 37)

    def test_says_where_the_command_line_comes_from(self) -> None:
        with unittest.mock.patch.dict("os.environ", {"PATH": "/none"}, clear=True):
            with self.assertRaises(slipway.UserError) as raised:
                slipway.run_job(self.job())
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("program-missing", "slipway"))


if __name__ == "__main__":
    unittest.main()
