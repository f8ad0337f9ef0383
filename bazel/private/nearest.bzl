"""Suggestions for mistyped names."""

def _distance(one, other):
    """The edit distance of two texts. Swapped neighbours count as one edit."""
    before = []
    last = range(len(other) + 1)
    for row in range(len(one)):
        current = [row + 1]
        for column in range(len(other)):
            swap = 0 if one[row] == other[column] else 1
            edits = min(last[column + 1] + 1, current[column] + 1, last[column] + swap)
            if row and column and one[row - 1] == other[column] and one[row] == other[column - 1]:
                edits = min(edits, before[column - 1] + 1)
            current.append(edits)
        before = last
        last = current
    return last[-1]

def nearest(name, known):
    """The known name that is closest to a mistyped one.

    Args:
      name: string.
      known: list of strings.

    Returns:
      string; None if no name is close. A close name differs in at most a third of its letters, or in one.
    """
    plain = name.lower().replace("-", "").replace("_", "")
    found = None
    least = len(plain) + 1
    for candidate in known:
        target = candidate.lower().replace("-", "").replace("_", "")
        distance = _distance(plain, target)
        if distance <= max(1, len(target) // 3) and distance < least:
            found = candidate
            least = distance
    return found
