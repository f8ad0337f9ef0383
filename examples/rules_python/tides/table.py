"""Hours of high water."""

_TABLE = {"Rotterdam": "06:12", "Hamburg": "03:47"}


def high_water(port: str) -> str:
    """The hour of high water in a port."""
    return _TABLE[port]
