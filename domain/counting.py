"""Numbers of things, as people write them."""


def counted(number: int, thing: str) -> str:
    """`1 record`, `2,000 records`: for things whose plural ends in s."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
