p, q, e = 1000003, 1000033, 65537; n = p * q; d = pow(e, -1, (p - 1) * (q - 1)); m = 424242
assert pow(pow(m, e, n), d, n) == m; print(pow(m, e, n))
