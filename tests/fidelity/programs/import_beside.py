open("beside.py", "w").write("print('imported', __name__, __file__)\nVALUE = 1\n")
import beside
import os
print(beside.VALUE, sorted(os.listdir(".")))
