import faulthandler, os, signal
faulthandler.enable()
faulthandler.disable()
print(faulthandler.is_enabled())
