import importlib.util
import os

print(importlib.util.find_spec("theirs") is not None, "HOOKED" in os.environ, callable(exit))
