"""Labels as people write them."""

def label_text(label):
    """A label for messages and documents.

    Args:
      label: Label.

    Returns:
      string: `//pkg:target`, of another repository `@@repository//pkg:target`.
    """
    text = str(label)
    return text.removeprefix("@@") if text.startswith("@@//") else text
