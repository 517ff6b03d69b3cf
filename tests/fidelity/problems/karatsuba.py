def kar(x, y):
    if x < 1 << 32 or y < 1 << 32: return x * y
    n = max(x.bit_length(), y.bit_length()) // 2; m = (1 << n) - 1
    a, b, c, d = x >> n, x & m, y >> n, y & m; p, q = kar(a, c), kar(b, d)
    return (p << 2 * n) + ((kar(a + b, c + d) - p - q) << n) + q
x, y = 3 ** 400, 7 ** 300; assert kar(x, y) == x * y; print(kar(x, y) % 10 ** 20)
