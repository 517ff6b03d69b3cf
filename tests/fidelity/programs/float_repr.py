print(0.1 + 0.2, 1e300 * 1e10, float("nan"), -0.0, 1e16, 1.0)
