import sys
print(repr(sys.stdin.errors))
print(repr(input()))
