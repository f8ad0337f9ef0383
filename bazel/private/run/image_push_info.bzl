"""The provider of a push."""

ImagePushInfo = provider(
    doc = "The images that a target pushes, with their destinations.",
    fields = {
        "images": "list of struct, as in `run_target` of request.bzl.",
    },
)
