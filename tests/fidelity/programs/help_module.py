"""Module doc."""
class A:
    """A doc."""
    def m(self): "m doc"
help(A)
