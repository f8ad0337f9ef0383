"""Remedies in errors of functions in containers. The TypeScript SDK has the same tests."""

import errno
import os
import socket
import unittest

from slipway._errors import RanIn, UserError, describe, reported, revive

CONTAINER = RanIn("container", "none")
LOOKUP = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
READ_ONLY = OSError(errno.EROFS, os.strerror(errno.EROFS), "/x")


def arrived(error: Exception, ran_in: RanIn) -> str:
    return str(revive(describe(error), "a container of x", ran_in))


class LimitsRemedy(unittest.TestCase):
    def test_names_the_option_for_a_network_also_where_a_cause_says_why(self) -> None:
        wrapped = RuntimeError("cannot fetch")
        wrapped.__cause__ = LOOKUP
        unreachable = OSError(errno.ENETUNREACH, "Network is unreachable")
        refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        for error in (LOOKUP, wrapped, unreachable, refused):
            self.assertIn('\nIt ran without a network. Set network="host"', arrived(error, CONTAINER))

    def test_names_the_folders_that_can_be_written(self) -> None:
        for kind in ("container", "kubernetes"):
            self.assertRegex(arrived(READ_ONLY, RanIn(kind, "none")), r"\n.*/tmp.*/home/slipway")

    def test_says_nothing_of_what_is_no_such_limit(self) -> None:
        for error, ran_in in (
            (LOOKUP, RanIn("process", "none")),
            (READ_ONLY, RanIn("process", "none")),
            (LOOKUP, RanIn("container", "host")),
            (LOOKUP, RanIn("kubernetes", "none")),
            (ValueError("else"), CONTAINER),
        ):
            self.assertNotIn("\n", arrived(error, ran_in))


class Reported(unittest.TestCase):
    def test_arrives_with_its_code_and_culprit(self) -> None:
        sent = reported(UserError, "file-invalid", "a.csv:3", "It has no header.\nAdd one.")
        error = revive(describe(sent), "a container of x", CONTAINER)
        assert isinstance(error, UserError)
        self.assertEqual((error.code, error.culprit, str(error)), ("file-invalid", "a.csv:3", str(sent)))


if __name__ == "__main__":
    unittest.main()
