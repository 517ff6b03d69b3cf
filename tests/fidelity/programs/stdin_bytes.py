import sys, os
print(sys.stdin.buffer.readline(), os.read(0, 10))
