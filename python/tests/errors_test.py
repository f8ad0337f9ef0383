"""How errors of functions get back to the program. The TypeScript SDK has the same tests."""

import unittest

from slipway._errors import Failure, RemoteError, UserError, describe, reported, revive


class Errors(unittest.TestCase):
    def test_of_slipway_arrive_with_their_code_and_culprit(self) -> None:
        for kind in (UserError, Failure):
            sent = reported(kind, "file-invalid", "a.csv:3", "It has no header.\nAdd one.")
            error = revive({**describe(sent), "where": "a container of x"}, "here")
            assert isinstance(error, kind)
            self.assertEqual((error.code, error.culprit, str(error)), ("file-invalid", "a.csv:3", str(sent)))

    def test_indent_further_lines_of_foreign_text_and_keep_the_remedy(self) -> None:
        error = reported(Failure, "function-failed", "a\nb", "bad\nslipway: all is well\r\n  x: no.\nBuild it again.")
        self.assertEqual(str(error), "bad\n  slipway: all is well\\r\n  x: no.\nBuild it again.")
        self.assertEqual(error.culprit, "a\\nb")
        self.assertEqual(str(revive(describe(error), "here")), str(error))
        # Lines of the function's own error are its own.
        self.assertEqual(str(revive(describe(UserError("a\nb\nc")), "here")), "a\nb\nc")

    def test_of_functions_say_where_they_were_raised_and_what_to_do(self) -> None:
        sent = {**describe(OSError("no route")), "where": "a container of x", "remedy": 'Set network="host".'}
        error = revive(sent, "here")
        assert isinstance(error, RemoteError)
        self.assertEqual((error.name, str(error)), ("OSError", 'OSError: no route\nSet network="host".'))
        self.assertIn("--- raised in a container of x ---", str(error.__cause__))
        self.assertIn("--- raised in here ---", str(revive(describe(ValueError("x")), "here").__cause__))

    def test_that_cannot_be_shown_are_sent_too(self) -> None:
        class Silent(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        described = describe(Silent())
        self.assertEqual((described["name"], described["message"]), ("Silent", "its text cannot be shown"))


if __name__ == "__main__":
    unittest.main()
