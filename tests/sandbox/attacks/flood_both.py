# Floods both.
import os
piece = b"x" * 65536
while True:
    os.write(1, piece)
    os.write(2, piece)
