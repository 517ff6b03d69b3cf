import subprocess, sys
if len(sys.argv) > 1 and sys.argv[1] == "child":
    print("child", __name__, sys.argv)
else:
    print(subprocess.run([sys.executable, __file__, "child"], capture_output=True, text=True).stdout, end="")
