import collections
prefix_value = 3
print(prefix_valeu)
