value = {"a": {"b": [1, 2, None]}}
print(value["a"]["b"][2]["c"] + (1 + 2) * 3)
