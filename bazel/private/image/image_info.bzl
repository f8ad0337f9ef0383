"""An image, known by its metadata."""

ImageInfo = provider(
    doc = "A container image of one platform. Its digest is known from `descriptor`; no blob is needed for that. OCI image specification 1.1, \"Image Manifest\".",
    fields = {
        "descriptor": "File: JSON, the OCI descriptor of the manifest (`mediaType`, `digest`, `size`, `platform`).",
        "manifest": "File: the manifest, byte for byte as it is pushed.",
        "config": "File: the configuration, byte for byte as it is pushed.",
        "layers": "list of struct(metadata = File, blob = File or None): every layer, the base's first, but for those in `layouts`. `metadata` is JSON with `mediaType`, " +
                  "`digest`, `size` and `diffId`; `blob` is None for a layer that is only in a registry.",
        "layouts": "list of struct(folder = File, files = depset of File): OCI layouts with the layers that `layers` lacks, because what is in the " +
                   "layout is known only once it is built; `files` is what it takes to read them.",
        "sources": "list of struct(registry = string, repository = string): where layers without a `blob` are mounted or streamed from.",
    },
)
