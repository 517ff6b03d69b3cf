f = open("out.txt", "w")
f.write("x")
def g():
    open("out.txt")
g()
print("end")
