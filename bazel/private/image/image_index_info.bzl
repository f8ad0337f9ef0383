"""An image for several platforms."""

load(":image_info.bzl", "ImageInfo")

ImageIndexInfo = provider(
    doc = "An OCI image index. Its digest is known from `descriptor`; no blob is needed for that. OCI image specification 1.1, \"Image Index\".",
    fields = {
        "descriptor": "File: JSON, the OCI descriptor of the index (`mediaType`, `digest`, `size`).",
        "manifest": "File: the index, byte for byte as it is pushed.",
        "images": "list of ImageInfo: the image of each platform, in the order of the index.",
    },
)

# What rules that take either say in `providers`.
IMAGE_PROVIDERS = [[ImageInfo], [ImageIndexInfo]]

def image_or_index(target):
    """The ImageIndexInfo of a target, or else its ImageInfo."""
    return target[ImageIndexInfo] if ImageIndexInfo in target else target[ImageInfo]
