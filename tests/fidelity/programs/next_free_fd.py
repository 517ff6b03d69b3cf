print(open("/dev/null").fileno(), open("main.py").fileno())
