print(len(str(10 ** 4000)))
int("1" * 5000)
