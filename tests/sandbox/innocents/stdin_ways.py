import sys, os
assert sys.stdin.read() == "" and not sys.stdin.isatty() and not sys.stdout.isatty()
try: input()
except EOFError: print("fine")
