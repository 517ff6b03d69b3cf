import json
d = {"a": [1, 2.5, None, True], "ü": {"n": "x\n\"y\""}}
assert json.loads(json.dumps(d)) == d; print(json.dumps(d, indent=2, sort_keys=True), json.dumps(d, ensure_ascii=False, separators=(",", ":")))
