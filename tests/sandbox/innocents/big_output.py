import sys
for n in range(5000): print(n, "x" * 5)
sys.stdout.write("fine\n")
