import os, io
f = open(1, "w", buffering=1000, closefd=False)
f.write("lost")
os._exit(0)
