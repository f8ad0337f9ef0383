"""Attributes that macros pass on to all their targets."""

load(":nearest.bzl", "nearest")

# Not `tags`: each macro decides about those.
COMMON_ATTRIBUTES = ["visibility", "testonly", "target_compatible_with", "exec_compatible_with", "features", "deprecation"]

def unknown_attributes(where, kwargs, own):
    """The error for attributes that a macro does not have.

    Args:
      where: string: the macro and its target.
      kwargs: dict of the macro's arguments.
      own: list of strings: the macro's attributes besides COMMON_ATTRIBUTES.

    Returns:
      string; None if the macro has all of them.
    """
    known = own + ["name", "tags"] + COMMON_ATTRIBUTES
    unknown = [key for key in kwargs if key not in known]
    if not unknown:
        return None
    meant = [nearest(key, known) for key in unknown]
    remedy = ["Did you mean {}?".format(", ".join([name for name in meant if name]))] if any(meant) else []
    return "{}: there is no attribute {}.\n{}".format(
        where,
        ", ".join(unknown),
        " ".join(remedy + ["docs/reference lists the attributes."]),
    )

def check_attributes(where, kwargs, own):
    """Fails for an attribute that a macro does not have.

    Args:
      where: string: the macro and its target, for the error.
      kwargs: dict of the macro's arguments.
      own: list of strings: the macro's attributes besides COMMON_ATTRIBUTES.
    """
    wrong = unknown_attributes(where, kwargs, own)
    if wrong:
        fail(wrong)
