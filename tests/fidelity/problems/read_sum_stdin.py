import sys
data = sys.stdin.read().split(); assert data == []; print(sum(map(int, data)))
