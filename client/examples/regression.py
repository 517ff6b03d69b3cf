"""Fits a line to noisy points by least squares and draws both, with nothing but print."""

import random

random.seed(7)
points = [(x, 3 + 0.5 * x + random.gauss(0, 1.2)) for x in range(0, 40)]
n = len(points)
mean_x = sum(x for x, _ in points) / n
mean_y = sum(y for _, y in points) / n
slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
    (x - mean_x) ** 2 for x, _ in points
)
intercept = mean_y - slope * mean_x
for row in range(24, -1, -2):
    cells = [" "] * n
    for x, y in points:
        if round((intercept + slope * x) / 2) * 2 == row:
            cells[x] = "."
        if round(y / 2) * 2 == row:
            cells[x] = "o"
    print(f"{row:3} |{''.join(cells)}")
print(f"    +{'-' * n}")
print(f"y = {intercept:.2f} + {slope:.2f} x over {n} points")
