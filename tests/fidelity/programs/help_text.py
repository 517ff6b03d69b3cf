def f(a: int) -> str:
    """Says."""
help(f)
help(len)
