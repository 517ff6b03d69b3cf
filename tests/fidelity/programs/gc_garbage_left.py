import gc, warnings
warnings.filters[:] = [("ignore", None, ResourceWarning, None, 0), *warnings.filters]
gc.garbage.append("kept")
gc.set_debug(gc.DEBUG_UNCOLLECTABLE)
