from graphlib import TopologicalSorter, CycleError
assert list(TopologicalSorter({"d": {"b", "c"}, "b": {"a"}, "c": {"a"}}).static_order())[0] == "a"
try: list(TopologicalSorter({1: {2}, 2: {1}}).static_order())
except CycleError as e: print(e.args[0])
