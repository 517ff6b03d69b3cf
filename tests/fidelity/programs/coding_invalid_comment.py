# a comment ÿ
print(1)
