"""Labels as users write them."""

def label_text(label):
    """The text of a label for messages and documents.

    Args:
      label: Label.

    Returns:
      string: `//pkg:target`, or `@@repository//pkg:target` for another repository.
    """
    text = str(label)
    return text.removeprefix("@@") if text.startswith("@@//") else text
