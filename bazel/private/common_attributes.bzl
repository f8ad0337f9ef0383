"""The attributes that macros hand to all their targets."""

# Those of every target that users may set; `tags` is up to each macro.
COMMON_ATTRIBUTES = ["visibility", "testonly", "target_compatible_with", "exec_compatible_with", "features", "deprecation"]

def check_common_attributes(where, kwargs):
    """Fails for an attribute that is none of those.

    Args:
      where: string: the macro and its target, for the error.
      kwargs: dict of what the macro was given besides its own attributes.
    """
    unknown = [key for key in kwargs if key not in COMMON_ATTRIBUTES]
    if unknown:
        fail("{}: it has no attribute {}.\nThe attributes are listed in docs/reference.".format(where, ", ".join(unknown)))
