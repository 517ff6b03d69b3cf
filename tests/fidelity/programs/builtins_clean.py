import builtins
print(sorted(set(dir(builtins)) - {"_"})[-20:], hasattr(builtins, "_"))
