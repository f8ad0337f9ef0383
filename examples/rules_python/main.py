"""Says when the tide is high, and where it runs."""

import sys

from tides.table import high_water

import slipway

print(f"high water: {high_water(sys.argv[1] if len(sys.argv) > 1 else 'Rotterdam')}")
print(f"image: {slipway.container_image() if slipway.has_container_image() else 'none'}")
