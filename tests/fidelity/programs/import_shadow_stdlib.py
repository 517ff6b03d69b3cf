open("textwrap.py", "w").write("print('shadow', __name__)\n")
open("this_is_new.py", "w").write("print('new')\n")
import this_is_new
