for c in range(-40, 101, 20): print(f"{c:>5}°C = {c * 9 / 5 + 32:>6.1f}°F")
assert -40 * 9 / 5 + 32 == -40
