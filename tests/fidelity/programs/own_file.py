# What a program can find out about the file that it was started from.
import inspect
import linecache
import multiprocessing
import pickle
import runpy
import sys
import traceback


class Kept:
    def __init__(self):
        self.where = __file__


def work(value):
    return value * 2, __name__, __file__, sys.argv, sys.path[0]


def main():
    print(__name__, __file__, __cached__, __spec__, __loader__, __package__)
    print(sys.argv, sys.orig_argv, sys.path[0], [name for name in dir() if name != "Kept"])
    print([path for path in sys.path_importer_cache if path == __file__], sys.modules["__main__"])
    print(__loader__.path, __loader__.name, __loader__.get_source("__main__")[:20])
    print(inspect.getsource(Kept), inspect.getsourcefile(work), inspect.getmodule(work))
    print(inspect.stack()[-1].filename, linecache.getline(__file__, 1), main.__code__.co_filename)
    print(pickle.dumps(Kept)[-15:], pickle.loads(pickle.dumps(Kept())).where)
    print(runpy.run_path(__file__)["__name__"], sys.argv)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [1, 2]))
    try:
        work(None)
    except TypeError:
        traceback.print_exc()
    traceback.print_stack()
    sys.stderr.flush()
    raise SystemExit(f"{__file__} ends")


if __name__ == "__main__":
    main()
