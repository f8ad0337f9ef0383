"""The modules and npm packages that programs and tests need, from what their sources import."""

load(":imports.bzl", "IMPORTS")

def modules_of(entries, mentioned = False, without = []):
    """Follows imports.

    Args:
      entries: list of strings, labels of modules of this repository.
      mentioned: whether files that a module names by their paths are needed too, as a test needs a program that it starts.
      without: list of strings, labels of modules at which to stop.

    Returns:
      a struct with `modules`, labels, the entries included, and `packages`, names of npm packages, both without repetition.
    """
    modules = {entry: None for entry in entries}
    packages = {}
    pending = list(entries)

    # Starlark has no loop without an end. Each module is looked at once.
    for _ in range(len(IMPORTS) + len(entries)):
        if not pending:
            break
        for use in IMPORTS.get(pending.pop(), "").split(" "):
            if use.startswith("?"):
                use = use[1:] if mentioned else ""
            if use.startswith("//"):
                if use not in modules and use not in without:
                    modules[use] = None
                    pending.append(use)
            elif use:
                packages[use] = None
    return struct(modules = sorted(modules), packages = sorted(packages))
