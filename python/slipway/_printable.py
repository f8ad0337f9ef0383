"""Foreign text that is safe to show. `src/core/printable.ts` has the same rules and says why."""

import difflib
import re
from typing import Sequence

# Controls, bidirectional marks, separators, zero-width and tag characters, fillers, lone surrogates. Selectors of
# emoji stay.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def printable_lines(text: str) -> str:
    """Escapes what a terminal obeys and what nobody sees, as JSON does. Keeps line feeds and tabs."""
    return _HIDDEN.sub(_escaped, text)


def printable(text: str) -> str:
    """The same for text of one line, such as a name."""
    return printable_lines(text).replace("\n", "\\n").replace("\t", "\\t")


def indented_lines(text: str) -> str:
    """The same for lines, each but the first indented, so that none passes for the next line of who shows it."""
    return re.sub("\n(?!  )", "\n  ", printable_lines(text))


def meant(name: object, known: Sequence[str]) -> str:
    """The nearest known name, in words for an error. Empty if none is near."""
    near = difflib.get_close_matches(str(name), known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _escaped(found: "re.Match[str]") -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "\\r" if found[0] == "\r" else "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
