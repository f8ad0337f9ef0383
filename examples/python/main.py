"""Prints today's menu, and where it runs."""

import platform

import menu
import slipway

print(menu.render("menu.yaml"))
print(f"Python {platform.python_version()}")
if slipway.has_container_image():
    print(f"The image: {slipway.container_image()}")
else:
    print("No image was built.")
