print(input("name? "))
print(input("more? "))
