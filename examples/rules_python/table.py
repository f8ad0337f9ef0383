"""Prints the table."""

from tides.table import high_water

for port in ["Hamburg", "Rotterdam"]:
    print(port, high_water(port))
