import sys, io, os
sys.stdout = io.TextIOWrapper(open(1, "wb", buffering=4096, closefd=False), line_buffering=False)
print("buffered")
os.write(1, b"direct\n")
