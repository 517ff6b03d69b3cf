import re
T = re.compile(r"(?P<num>\d+(\.\d+)?)|(?P<id>[a-z_]\w*)|(?P<op>[-+*/=()])|(?P<ws>\s+)|(?P<bad>.)")
t = [(m.lastgroup, m.group()) for m in T.finditer("x = 3.5 * (y_1 + 2) ?") if m.lastgroup != "ws"]
assert t[-1] == ("bad", "?"); print(t)
