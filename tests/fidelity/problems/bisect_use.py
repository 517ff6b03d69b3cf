import bisect
a = [1, 3, 3, 5, 8]; assert bisect.bisect_left(a, 3) == 1 and bisect.bisect(a, 3) == 3
bisect.insort(a, 4); print(a, [bisect.bisect(a, x) for x in range(10)])
