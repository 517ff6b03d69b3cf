def day(y, m, d):
    if m < 3: y, m = y - 1, m + 12
    return (d + 13 * (m + 1) // 5 + y % 100 + y % 100 // 4 + y // 100 // 4 + 5 * (y // 100)) % 7
import datetime
assert all((day(y, 5, 17) + 5) % 7 == datetime.date(y, 5, 17).weekday() for y in range(1900, 2100)); print(day(2000, 1, 1))
