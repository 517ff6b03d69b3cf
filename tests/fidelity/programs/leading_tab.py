	print(1)
