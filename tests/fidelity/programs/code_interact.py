import code
c = code.InteractiveInterpreter()
c.runsource("print(1+1)")
c.runsource("1/0")
