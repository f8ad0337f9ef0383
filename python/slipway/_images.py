"""The program's images, from the environment variables that the launch script sets."""

import json
import os
import re
from typing import Dict, Mapping, Optional

from slipway._errors import UserError, reported

# Set by the user: replaces all images.
_CUSTOM_IMAGE = "SLIPWAY_CONTAINER_IMAGE"
# Set by the launch script: `tag##repository@sha256:…` joined by `::`.
_BUILT_IMAGES = "SLIPWAY_CONTAINER_IMAGE_URIS"


def has_container_image(tag: str = "default", env: Optional[Mapping[str, str]] = None) -> bool:
    """Returns whether this program was started with a container image in which its functions can run.

    Args:
        tag: a key of the pipeline's `bases`.
        env: the environment variables. Default: those of the process.

    Raises:
        UserError: `SLIPWAY_CONTAINER_IMAGE_URIS` is malformed.
    """
    return _find(tag, os.environ if env is None else env) is not None


def container_image(tag: str = "default", env: Optional[Mapping[str, str]] = None) -> str:
    """Returns the address of this program's image, `HOST/REPOSITORY@sha256:…`.

    If you set `SLIPWAY_CONTAINER_IMAGE`, that image is used for every tag. Otherwise it is the image that the launch
    script pushed.

    Args:
        tag: a key of the pipeline's `bases`.
        env: the environment variables. Default: those of the process.

    Raises:
        UserError: there is no image for the tag, or `SLIPWAY_CONTAINER_IMAGE_URIS` is malformed.
    """
    variables = os.environ if env is None else env
    found = _find(tag, variables)
    if found is not None:
        return found
    tags = list(_parse_images(variables.get(_BUILT_IMAGES, "")))
    if tags:
        problem = f"has images for {', '.join(tags)}"
        remedy = f"Add {json.dumps(tag, ensure_ascii=False)} to the pipeline's `bases`, or use one of these tags."
    else:
        problem = "was started without an image"
        remedy = f"Run the pipeline's own target instead of its _local target, or set {_CUSTOM_IMAGE}."
    message = f"There is no image for the tag {tag}: this program {problem}.\n{remedy}"
    raise reported(UserError, "image-not-found", tag, message)


def image_variables(env: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """The image variables of this process, for a process that should see the same images."""
    variables = os.environ if env is None else env
    return {name: variables[name] for name in (_CUSTOM_IMAGE, _BUILT_IMAGES) if variables.get(name)}


def _find(tag: str, env: Mapping[str, str]) -> Optional[str]:
    return env.get(_CUSTOM_IMAGE) or _parse_images(env.get(_BUILT_IMAGES, "")).get(tag)


def _parse_images(text: str) -> Dict[str, str]:
    """Images by tag. Addresses may contain colons, so `::` separates entries only before a tag and `##`."""
    images: Dict[str, str] = {}
    for entry in re.split(r"::(?=[^:#/@]+##)", text) if text else []:
        match = re.fullmatch(r"([^:#/@]+)##(.+)", entry, re.DOTALL)
        if match is None:
            message = (
                f"{_BUILT_IMAGES}: {json.dumps(entry, ensure_ascii=False)} is not TAG##IMAGE.\n"
                "Unset it and start the program by its Bazel target, which sets it."
            )
            raise reported(UserError, "variable-invalid", _BUILT_IMAGES, message)
        images[match[1]] = match[2]
    return images
