"""Names of repositories as people know them."""

def given_name(rctx):
    """The name that the user gave to a repository: Bazel puts others before it.

    Args:
      rctx: the repository context.

    Returns:
      string.
    """
    return rctx.name.split("~")[-1].split("+")[-1]
