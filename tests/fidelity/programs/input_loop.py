n=int(input("n? "))
print([int(input()) for _ in range(n)])
try:
    while True: print(input("> "))
except EOFError: print("eof")
