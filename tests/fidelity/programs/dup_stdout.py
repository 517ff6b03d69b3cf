import os
fd = os.dup(1)
os.write(fd, b"via dup\n")
os.dup2(fd, 5)
os.write(5, b"via 5\n")
print(fd)
