x = """
a
"""
print(repr(x))