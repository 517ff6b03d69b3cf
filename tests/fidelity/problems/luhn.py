def luhn(s): return sum(sum(divmod(int(c) * (1 + i % 2), 10)) for i, c in enumerate(reversed(s))) % 10 == 0
assert luhn("4539578763621486") and not luhn("4539578763621487"); print(luhn("0"))
