import os, sys
os.close(1)
try:
    print("x")
except OSError as e:
    sys.stderr.write(f"{e}\n")
