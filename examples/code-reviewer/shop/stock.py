"""What is in stock."""


def cheapest(stock: list[tuple[str, int]], count: int) -> list[str]:
    """Return the names of the *count* cheapest articles, the cheapest first."""
    ranked = sorted(stock, key=lambda article: article[1])
    return [name for name, _ in ranked[1 : count + 1]]
