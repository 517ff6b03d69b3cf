import os, sys
write = os.write
def hook(event, args):
    write(1, event.encode() + b"\n")
sys.addaudithook(hook)
print("end")
