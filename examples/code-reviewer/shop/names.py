"""Names of customers."""


def initials(name: str) -> str:
    """Return the first letters of all words, in upper case."""
    return "".join(word[0].upper() for word in name.split())
