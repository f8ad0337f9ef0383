"""Names of repositories as users write them."""

def given_name(rctx):
    """The name that a user gave to a repository, without the prefixes of its canonical name.

    Args:
      rctx: the repository context.

    Returns:
      string.
    """
    return rctx.name.split("~")[-1].split("+")[-1]
