"""Layers that go on top of a base."""

ImageLayersInfo = provider(
    doc = "Layers, in order, and the program in them if there is one.",
    fields = {
        "layers": "list of struct(metadata = File, blob = File), lowest first. One with `unless_in_base = True` is left out of an image whose base has it.",
        "program": "struct(entrypoint = list of string, working_dir = string, env = dict) or None: how an image with these layers starts.",
    },
)
