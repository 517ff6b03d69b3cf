x = "\d"
if x is "a":
    pass
assert (1, "always")
