"""Which layer a third-party package belongs to."""

# How many layers third-party packages make at most. More of them make a changed package cheaper, and everything else dearer: every
# layer is an action, a request to the registry, and a mount of the engine, which can do 127 with those of the base. A prime number spreads
# names better.
THIRD_PARTY_LAYERS = 11

def third_party_layer(package):
    """The number of the layer with a package, from 0: it depends on the name alone, so that no other package is moved by an added one.

    Args:
      package: string, its name without its version.

    Returns:
      int.
    """
    return hash(package) % THIRD_PARTY_LAYERS

def apparent_name(repository):
    """What people call a repository, as far as its canonical name tells: without the modules and versions before it."""
    return repository.rstrip("~+").split("~")[-1].split("+")[-1]

def package_of(path):
    """The package that a third-party file belongs to: of npm, else its repository, since Python's and others' packages have one each.

    Args:
      path: string, the file's path in the runfiles, the repository first.

    Returns:
      string, without a version.
    """
    start = path.find("/node_modules/")
    if start < 0:
        return apparent_name(path.partition("/")[0])
    parts = path[start + len("/node_modules/"):].split("/", 2)
    if parts[0].startswith(".") and len(parts) > 1:
        # A package and the links to what it needs, in a store: `.aspect_rules_js/@scope+name@1.0.0_peer@2.0.0/…`.
        return parts[1][:1] + parts[1][1:].partition("@")[0].replace("+", "/")
    return "/".join(parts[:2]) if parts[0].startswith("@") else parts[0]
