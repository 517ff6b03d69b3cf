x = 1
print("form feed", x)
