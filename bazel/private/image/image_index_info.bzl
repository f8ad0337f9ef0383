"""The provider of an image for several platforms."""

load(":image_info.bzl", "ImageInfo")

ImageIndexInfo = provider(
    doc = "An OCI image index (OCI image specification 1.1, \"Image Index\"). To get its digest, read `descriptor`; you need no blob.",
    fields = {
        "descriptor": "File: JSON, the OCI descriptor of the index (`mediaType`, `digest`, `size`).",
        "manifest": "File: the index, byte for byte as Slipway pushes it.",
        "images": "list of ImageInfo: the image of each platform, in the order of the index.",
        "provenance": "File: how the index was built, as in ImageInfo.",
        "referrers": "list of struct: documents about the index itself, as in ImageInfo.",
    },
)

# The value of `providers` for an attribute that takes an image or an index.
IMAGE_PROVIDERS = [[ImageInfo], [ImageIndexInfo]]

def image_or_index(target):
    """The ImageIndexInfo of a target, or else its ImageInfo."""
    return target[ImageIndexInfo] if ImageIndexInfo in target else target[ImageInfo]
