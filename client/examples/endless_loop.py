"""Never ends by itself: the CPU limit ends it."""

count = 0
while True:
    count += 1
