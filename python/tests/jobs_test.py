"""Jobs as documents, and how the command line is asked to run them."""

import json
import os
import stat
import tempfile
import unittest
import unittest.mock

import slipway

# Answers with what it was asked.
FAKE = """#!/bin/sh
printf '{"result": {"words": "%s", "request": %s}}' "$*" "$(cat)"
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
        self.program = os.path.join(folder.name, "slipway")
        self.answer_with(FAKE)

    def answer_with(self, script: str) -> None:
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(self.program, stat.S_IRWXU)
        env = {**os.environ, "SLIPWAY_ENGINE_HELPER": self.program, "SLIPWAY_COMMAND": "/nowhere"}
        environment = unittest.mock.patch.dict("os.environ", env)
        environment.start()
        self.addCleanup(environment.stop)

    def job(self) -> slipway.Deployment:
        interpreter = slipway.ServerAvailableInterpreter(slipway.SLIPWAY_INTERPRETER)
        return slipway.Deployment(interpreter, function="a.ts")

    def test_asks_the_engine_helper(self) -> None:
        asked = slipway.run_job(self.job(), folder=self.folder, engine="process")
        self.assertEqual(asked["words"], "job answer")
        request = asked["request"]
        self.assertEqual(json.loads(request.pop("document")), self.job().document())
        self.assertEqual(request, {"action": "run", "name": "job", "folder": self.folder, "engine": "process"})
        self.assertEqual(slipway.resolve_job(self.job())["request"]["action"], "resolve")

    def test_starts_relative_paths_where_bazel_run_was_called(self) -> None:
        with unittest.mock.patch.dict("os.environ", {"BUILD_WORKING_DIRECTORY": self.folder}):
            for folder, place in {None: "", "pkg": "/pkg", "/x": "/x"}.items():
                asked = slipway.run_job(self.job(), folder=folder)
                expected = place if folder == "/x" else self.folder + place
                self.assertEqual(asked["request"]["folder"], expected)

    def test_ends_with_the_status_of_the_job(self) -> None:
        self.answer_with("#!/bin/sh\necho '{\"failed\": {\"id\": \"a-1\", \"message\": \"m\", \"status\": 37}}'\n")
        with self.assertRaises(slipway.JobError) as raised:
            slipway.run_job(self.job())
        self.assertEqual(
            (raised.exception.status, raised.exception.code, raised.exception.culprit), (37, "job-failed", "a-1")
        )

    def test_keeps_class_code_and_culprit_of_errors(self) -> None:
        error = {"code": "lock-outdated", "culprit": "a.lock.json", "message": "P.", "details": ""}
        for kind in (slipway.UserError, slipway.Failure):
            answer = json.dumps({"error": {**error, "name": kind.__name__}})
            self.answer_with(f"#!/bin/sh\necho '{answer}'\nexit 1\n")
            with self.assertRaises(kind) as raised:
                slipway.run_job(self.job())
            self.assertEqual((raised.exception.code, raised.exception.culprit), ("lock-outdated", "a.lock.json"))
            self.assertEqual(str(raised.exception), "P.")
        self.answer_with("#!/bin/sh\nkill -9 $$\n")
        with self.assertRaises(slipway.Failure) as killed:
            slipway.run_job(self.job())
        self.assertEqual((killed.exception.code, killed.exception.culprit), ("program-failed", self.program))

    def test_without_a_helper_asks_the_command_line(self) -> None:
        with unittest.mock.patch.dict("os.environ", {"SLIPWAY_COMMAND": self.program}):
            del os.environ["SLIPWAY_ENGINE_HELPER"]
            self.assertEqual(slipway.run_job(self.job())["words"], "job answer")

    def test_says_where_the_command_line_comes_from(self) -> None:
        with unittest.mock.patch.dict("os.environ", {"PATH": "/none"}, clear=True):
            with self.assertRaises(slipway.UserError) as raised:
                slipway.run_job(self.job())
        self.assertEqual((raised.exception.code, raised.exception.culprit), ("program-missing", "slipway"))


if __name__ == "__main__":
    unittest.main()
