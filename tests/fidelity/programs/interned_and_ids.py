a = "hello"; b = "hel" + "lo"; print(a is b, 256 is 256 if False else 1)
