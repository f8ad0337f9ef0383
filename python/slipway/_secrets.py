"""Secrets of this user for variables of functions in processes. Keep src/secrets/variables.ts the same."""

import os
import pathlib
import re
from typing import Dict, List, Mapping, Optional

from slipway._errors import UserError, reported

_PREFIX = "SECRET:"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)


def secret_in(value: str) -> Optional[str]:
    """The name in `SECRET:NAME`. None for any other text."""
    return value[len(_PREFIX):] if value.startswith(_PREFIX) else None


def names_a_secret(value: str) -> bool:
    """Returns whether a text that starts with `SECRET:` goes on with a name. True for other texts."""
    name = secret_in(value)
    return name is None or _NAME.fullmatch(name) is not None


def with_secrets(env: Mapping[str, str]) -> Dict[str, str]:
    """Variables, with the values of the secrets that they name.

    Raises:
        UserError: a secret does not exist, or is not text.
    """
    folder = _folder()
    values: Dict[str, str] = {}
    missing: List[str] = []
    culprits: List[str] = []
    for variable, value in env.items():
        name = secret_in(value)
        if name is None:
            values[variable] = value
            continue
        content = _read(folder / name) if _NAME.fullmatch(name) else None
        if content is None:
            missing.append(f"Variable {variable} names the secret {name}, which does not exist in {folder}.")
            culprits.append(name)
        else:
            values[variable] = _text(content, name)
    if not missing:
        return values
    culprit = ", ".join(dict.fromkeys(f"{_PREFIX}{name}" for name in culprits))
    remedy = f"Set it: `slipway secret set {culprits[0]} --engine container`."
    raise reported(UserError, "secret-not-found", culprit, "\n".join([*missing, remedy]))


def _folder() -> pathlib.Path:
    state = os.environ.get("XDG_STATE_HOME", "")
    root = pathlib.Path(state) if state.startswith("/") else pathlib.Path(os.path.expanduser("~"), ".local/state")
    return root / "slipway" / "secrets"


def _read(path: pathlib.Path) -> Optional[bytes]:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _text(content: bytes, name: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # The error would have the value.
        text = "\0"
    if "\0" not in text:
        return text
    message = (
        f"The secret {name} is not text, so it cannot be the value of a variable.\n"
        "Encode it, for example in Base64, and decode it in the program."
    )
    raise reported(UserError, "credential-invalid", f"{_PREFIX}{name}", message)
