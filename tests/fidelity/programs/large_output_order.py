import sys
for n in range(500):
    print("out", n)
    print("err", n, file=sys.stderr)
