a = [n for n in range(10000) if n == sum(int(d) ** len(str(n)) for d in str(n))]; assert a[-3:] == [1634, 8208, 9474]; print(a)
