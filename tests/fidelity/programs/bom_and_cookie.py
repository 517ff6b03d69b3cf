# coding: latin-1
print("bom and cookie")
