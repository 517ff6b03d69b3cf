"""Guesses your number by asking: what it asks next depends on what it is told meanwhile."""

low, high = 1, 100
while low < high:
    middle = (low + high) // 2
    print(f"is it greater than {middle}?", flush=True)
    if input().strip().lower().startswith("y"):
        low = middle + 1
    else:
        high = middle
print(f"it is {low}")
