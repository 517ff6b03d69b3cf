# Writes exactly argv[1] bytes.
import os, sys
left = int(sys.argv[1])
while left:
    left -= os.write(1, b"x" * min(left, 4096))
