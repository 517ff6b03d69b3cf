import sys
sys.stdin.close()
try:
    input()
except Exception as e:
    print(type(e).__name__, e)
