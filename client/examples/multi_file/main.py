"""A program of two files that takes arguments; it exits with the code it is told."""

import sys

from shapes import area

for shape in sys.argv[2:]:
    print(f"{shape}: {area(shape):.2f}")
sys.exit(int(sys.argv[1]))
