"""Path patterns, as in Bazel's `glob`."""

def compile_pattern(pattern):
    """Prepares a pattern for `pattern_matches`.

    Args:
      pattern: string. `*` matches any part of one path component, `**` any number of components.

    Returns:
      list of components.
    """
    return pattern.split("/")

def _component_matches(pattern, text):
    if "*" not in pattern:
        return pattern == text
    parts = pattern.split("*")
    first, last = parts[0], parts[-1]
    if len(first) + len(last) > len(text) or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    end = len(text) - len(last)
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True

def pattern_matches(pattern, path):
    """Whether a pattern matches a path.

    Args:
      pattern: from `compile_pattern`.
      path: string, without a leading slash.

    Returns:
      bool.
    """

    # The possible numbers of pattern components used so far. A set of states, because Starlark has no recursion.
    states = {0: True}
    for component in path.split("/"):
        following = {}
        for state in _skip_any(pattern, states):
            if state == len(pattern):
                continue
            if pattern[state] == "**":
                following[state] = True
            elif _component_matches(pattern[state], component):
                following[state + 1] = True
        if not following:
            return False
        states = following
    return len(pattern) in _skip_any(pattern, states)

def _skip_any(pattern, states):
    """The states, and those after a `**` that matches no component."""
    result = dict(states)
    for start in states:
        for state in range(start, len(pattern)):
            if pattern[state] != "**":
                break
            result[state + 1] = True
    return result
