import locale, sys
print(locale.getlocale(), locale.getpreferredencoding(False), sys.getfilesystemencoding(), sys.getdefaultencoding(), sys.getfilesystemencodeerrors())
locale.setlocale(locale.LC_ALL, "C.UTF-8"); print(locale.str(1.5), locale.localeconv()["decimal_point"])
