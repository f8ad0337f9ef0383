"""Names of repositories as users write them."""

def given_name(rctx):
    """The name that a user gave to a repository, without the prefixes of its canonical name.

    Args:
      rctx: the repository context.

    Returns:
      string.
    """

    # Bazel 7.7 and 8.1 have the name itself, but 8.1.0 has an empty one in WORKSPACE.
    return getattr(rctx, "original_name", "") or rctx.name.split("~")[-1].split("+")[-1]
