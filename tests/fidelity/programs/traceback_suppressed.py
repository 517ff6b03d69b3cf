try:
    int("x")
except ValueError:
    raise RuntimeError("alone") from None
