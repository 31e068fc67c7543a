"""Discounts of the shop."""


def discounted(price_cents: int, percent: int) -> int:
    """Return the price after a discount of so many percent.

    Raises ValueError when the discount is no percentage.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"{percent} is no percentage")
    return price_cents - price_cents * percent
