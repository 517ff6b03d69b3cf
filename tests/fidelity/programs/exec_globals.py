exec("y = 5"); print(y, eval("__name__"), eval("__file__") == __file__)
