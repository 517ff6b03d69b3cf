import os, sys
class Name(str):
    def __hash__(self, write=os.write):
        write(1, b"hash\n")
        return 1
vars(sys)[Name("name")] = 1
print("end")
