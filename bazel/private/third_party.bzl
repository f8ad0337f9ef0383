"""The layers of third-party packages."""

# The maximum number of layers with third-party packages. More layers make one changed package cheaper and everything else more expensive: each
# layer is an action, a request to the registry and a mount. Engines allow 127 layers, including the base's. A prime number spreads names better.
THIRD_PARTY_LAYERS = 11

def third_party_layer(package):
    """The number of a package's layer, from 0. It depends only on the name, so an added package does not move others.

    Args:
      package: string, the package's name without its version.

    Returns:
      int.
    """
    return hash(package) % THIRD_PARTY_LAYERS

def apparent_name(repository):
    """The apparent name of a repository, as far as its canonical name shows it: without modules and versions before it."""
    return repository.rstrip("~+").split("~")[-1].split("+")[-1]

def package_of(path):
    """The package of a third-party file: its npm package, or else its repository, because Python and others use one repository per package.

    Args:
      path: string, the file's path in the runfiles, starting with its repository.

    Returns:
      string, without a version.
    """
    start = path.find("/node_modules/")
    if start < 0:
        return apparent_name(path.partition("/")[0])
    parts = path[start + len("/node_modules/"):].split("/", 2)
    if parts[0].startswith(".") and len(parts) > 1:
        # A package with links to its dependencies, in a package store: `.aspect_rules_js/@scope+name@1.0.0_peer@2.0.0/…`.
        return parts[1][:1] + parts[1][1:].partition("@")[0].replace("+", "/")
    return "/".join(parts[:2]) if parts[0].startswith("@") else parts[0]
