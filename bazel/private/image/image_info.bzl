"""The provider of an image for one platform."""

ImageInfo = provider(
    doc = "A container image for one platform (OCI image specification 1.1, \"Image Manifest\"). To get its digest, read `descriptor`; you need no blob.",
    fields = {
        "descriptor": "File: JSON, the OCI descriptor of the manifest (`mediaType`, `digest`, `size`, `platform`).",
        "manifest": "File: the manifest, byte for byte as Slipway pushes it.",
        "config": "File: the configuration, byte for byte as Slipway pushes it.",
        "layers": "list of struct(metadata = File, blob = File or None, packages = File): every layer except those in `layouts`, the base's first. `metadata` is JSON with `mediaType`, " +
                  "`digest`, `size` and `diffId`. `blob` is None for a layer that only a registry has. `packages` is JSON with the packages in the layer; " +
                  "a layer that another tool made lacks it.",
        "layouts": "list of struct(folder = File, files = depset of File): OCI layouts with further layers, whose number is unknown before the layout is built. " +
                   "`files` are the files needed to read the layout.",
        "sources": "list of struct(registry = string, repository = string): the registries from which a push mounts or streams layers without a `blob`.",
        "bases": "list of struct(descriptor = File, name = string): the image's base, the base's base and so on. `name` is `REGISTRY/REPOSITORY`, or a label.",
        "locks": "depset of File: the lock files of packages in the image.",
        "sbom": "File or None: the packages in the image, in the format of the setting `sbom`. None without a format, and for an image that another tool built.",
        "provenance": "File or None: how the image was built (in-toto statement v1 with SLSA provenance v1). None for an image that another tool built.",
        "referrers": "list of struct(file = File, artifact_type = string, unstamped = bool): documents about the image that a push attaches to it. The media type of the content is the artifact type. `unstamped`: only if the push signs it.",
    },
)
