import sys
def flush():
    sys.stderr.write("flushed\n")
sys.stdout.flush = flush
print("end")
