D = "0123456789abcdefghijklmnopqrstuvwxyz"
def to(n, b): return (to(n // b, b) if n >= b else "") + D[n % b]
assert all(int(to(n, b), b) == n for b in range(2, 37) for n in range(0, 5000, 37)); print(to(255, 16), to(10 ** 12, 36))
