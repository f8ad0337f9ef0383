"""The provider of layers on top of a base."""

ImageLayersInfo = provider(
    doc = "Layers in order, and the program in them, if any.",
    fields = {
        "layers": "list of struct(metadata = File, blob = File, packages = File), lowest first, as in ImageInfo. If a layer has `unless_in_base = True`, an image whose base has the same layer leaves it out.",
        "locks": "depset of File: the lock files of packages in the layers. May be left out.",
        "program": "struct(entrypoint = list of string, working_dir = string, env = dict) or None: how an image with these layers starts.",
    },
)
