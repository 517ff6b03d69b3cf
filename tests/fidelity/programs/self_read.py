print(open(__file__).read())
print(open("main.py").read() == open(__file__).read())
