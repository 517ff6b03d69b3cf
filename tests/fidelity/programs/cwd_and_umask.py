import os
print(os.getcwd(), oct(os.umask(0)), sorted(os.listdir(".")))
