# A sparse file of 1 PiB: refused, or harmless because nobody reads it.
import os
fd = os.open("/work/sparse", os.O_CREAT | os.O_RDWR)
outcomes = []
for action in (lambda: os.ftruncate(fd, 1 << 50), lambda: os.pwrite(fd, b"x", 1 << 50), lambda: os.posix_fallocate(fd, 0, 1 << 50)):
    try:
        action()
        outcomes.append("done")
    except OSError as error:
        outcomes.append(str(error.errno))
print("CONTAINED", *outcomes, os.fstat(fd).st_blocks * 512 < 1 << 24)
