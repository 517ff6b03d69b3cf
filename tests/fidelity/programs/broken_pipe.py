import os, sys
r, w = os.pipe()
os.close(r)
try:
    os.write(w, b"x")
except BrokenPipeError as e:
    print("broken", e.errno)
os.dup2(w, 1)
print("into the broken pipe")
