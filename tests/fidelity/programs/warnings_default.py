import warnings
warnings.warn("user")
warnings.warn("deprecated", DeprecationWarning)
warnings.warn("resource", ResourceWarning)
warnings.warn("user")
def f():
    warnings.warn("stacklevel", stacklevel=2)
f()
print(warnings.filters)
