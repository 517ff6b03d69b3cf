"""Writes without end: the output limit cuts it."""

line = "all work and no play makes a dull program\n" * 100
while True:
    print(line, end="")
