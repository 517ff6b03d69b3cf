assert False, {"why": [1, 2]}
