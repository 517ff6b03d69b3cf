import os, subprocess, sys
print(subprocess.run([sys.executable, "-c", "import os; print(sorted(os.environ))"], capture_output=True, text=True).stdout == str(sorted(os.environ)) + "\n")
