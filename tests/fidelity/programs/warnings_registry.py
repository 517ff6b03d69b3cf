import warnings
for n in range(3):
    warnings.warn("once here")
print("__warningregistry__" in globals())
