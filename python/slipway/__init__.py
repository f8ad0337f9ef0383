"""What a Python program asks Slipway: whether it was started with a container image, and which one."""

from slipway._images import UserError, container_image, has_container_image

__all__ = ["UserError", "container_image", "has_container_image"]
