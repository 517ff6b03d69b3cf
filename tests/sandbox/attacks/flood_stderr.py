# Floods stderr.
import os
piece = b"x" * 65536
while True:
    os.write(2, piece)
