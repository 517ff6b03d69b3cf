import calendar
assert calendar.monthrange(2024, 2) == (3, 29); print(calendar.month(2024, 2), calendar.isleap(1900), sum(calendar.weekday(y, m, 1) == 6 for y in range(1901, 2001) for m in range(1, 13)))
