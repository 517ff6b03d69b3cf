"""Loads modules as a template does and writes what each cost; run by a runtime's interpreter.

Its one argument is JSON: library (the folder that holds our package), names (of the modules),
and descriptors: tasks (/proc/self/task), statm (/proc/self/statm). Each line of its output is
JSON for one module, written before the next is begun, so that whoever reads knows which one ended
the process.
"""

import importlib.machinery
import json
import os
import sys
import time


def main() -> None:
    """Load one after the other."""
    specification = json.loads(sys.argv[1])
    # What packages print when they are imported is no answer of ours.
    answer = os.dup(1)
    os.dup2(2, 1)
    sys.path.insert(0, specification["library"])
    from dcodex_worker.template import loading

    sys.path.remove(specification["library"])
    compiled = _count_compiled()
    for name in specification["names"]:
        complaints: list[str] = []
        before, start = _resident(specification["statm"]), time.perf_counter()
        loading.load(name, complaints.append)
        seconds = time.perf_counter() - start
        if not complaints and name not in sys.modules:
            complaints.append(
                "it is not to be found where programs are: is it installed as a link?"
            )
        if not complaints and len(os.listdir(specification["tasks"])) > 1:
            complaints.append("it starts a thread when imported, so no template could be forked")
        version = getattr(sys.modules.get(name.partition(".")[0]), "__version__", "")
        resident = _resident(specification["statm"])
        told = {
            "name": name,
            "version": version if isinstance(version, str) else "",
            "seconds": seconds,
            "memory_bytes": resident - before,
            "uncompiled": len(compiled),
            "complaint": " ".join(" ".join(complaints).split()),
        }
        compiled.clear()
        os.write(answer, json.dumps([told, resident]).encode() + b"\n")
    # Without what packages do at exit.
    os._exit(0)


def _resident(statm: int) -> int:
    """This process's resident memory, in bytes."""
    return int(os.pread(statm, 256, 0).split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _count_compiled() -> "list[str]":
    """A list that gets the path of each module whose byte-code is missing or out of date."""
    paths: list[str] = []
    loader = importlib.machinery.SourceFileLoader
    compile_source = loader.source_to_code

    def source_to_code(self, data, path, **options):  # type: ignore[no-untyped-def] # as its own
        paths.append(path)
        return compile_source(self, data, path, **options)

    loader.source_to_code = source_to_code  # type: ignore[method-assign] # called for these alone
    return paths


if __name__ == "__main__":
    main()
