"""Foreign text as it is shown. src/core/printable.test.ts has the same tests."""

import unittest

from slipway._errors import revive
from slipway._output import _labelled
from slipway._printable import printable, printable_lines
from slipway._running import Running

HOSTILE = "a\x1b]0;b\x07\r\x9b2J\u202ec\u200b\ud800\U000e0041\n"
SHOWN = "a\\u001b]0;b\\u0007\\r\\u009b2J\\u202ec\\u200b\\ud800\\udb40\\udc41"


class Printable(unittest.TestCase):
    def test_escapes_what_a_terminal_obeys_and_what_nobody_sees(self) -> None:
        self.assertEqual(printable(HOSTILE + "\t"), SHOWN + "\\n\\t")
        self.assertEqual(printable_lines(HOSTILE + "\t"), SHOWN + "\n\t")

    def test_leaves_all_languages_and_emoji(self) -> None:
        for text in ("Grüße, 世界 – мир", "שלום", "مرحبا", "🚀 ⚠️ 🇨🇭", "C:\\u001b"):
            self.assertEqual(printable(text), text)

    def test_is_used_for_errors_of_functions_and_names_of_calls(self) -> None:
        for name in ("UserError", "ValueError"):
            error = revive({"name": name, "message": HOSTILE, "details": HOSTILE}, "a pod")
            self.assertNotRegex(str(error), "[\x1b\x07\r\x9b\u202e\u200b\ud800\U000e0041]")
            self.assertIn("\\u001b]0;b", str(error))
        self.assertEqual(_labelled(Running(7, HOSTILE), b"\x1b[31mred\n"), b"[" + SHOWN.encode() + b"\\n 7] \x1b[31mred\n")


if __name__ == "__main__":
    unittest.main()
