import os, sys
if "again" in sys.argv:
    print("again", sys.argv)
    sys.exit(4)
sys.stdout.flush()
os.execv(sys.executable, [sys.executable, "-u", "main.py", "again"])
