import builtins
import importlib.util
import os
import sys

print(importlib.util.find_spec("theirs") is not None, "HOOKED" in os.environ, hasattr(builtins, "exit"), os.path.realpath(sys._base_executable))
