import sys
print(sys.path[0], [p for p in sys.path if "dcodex" in p], sys.path_importer_cache.keys() >= set(), "/work" in str(sys.path[0]) or True)
print(sys.path[1:])
