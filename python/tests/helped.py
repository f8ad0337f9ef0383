"""The environment of programs that tests start: that of a pipeline without an image. SLIPWAY_ENGINE_HELPER names the helper outside of Bazel."""

import os
import pathlib

HELPER = os.environ.get("SLIPWAY_ENGINE_HELPER") or str(pathlib.Path(os.environ.get("RUNFILES_DIR", ""), "_main/src/engine_helper").absolute())
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
ENVIRONMENT["SLIPWAY_ENGINE_HELPER"] = HELPER
