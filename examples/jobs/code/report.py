"""What the examples run in Python: a command (`python -m report`) and a function (`report:total`)."""

import platform


def total(numbers):
    print("adding %d numbers" % len(numbers))
    return {"total": sum(numbers), "python": platform.python_version()}


if __name__ == "__main__":
    print(total([1, 2, 3]))
