import sys, os
print("1")
print("2", file=sys.stderr)
os.write(1, b"3\n")
sys.stdout.write("4")
sys.stdout.buffer.write(b"5\n")
os.write(1, b"6\n")
print("7", end="", flush=True)
