"""Tells whether anyone could see the interpreter take apart what a program leaves.

Theory of operation
-------------------
An interpreter that ends destroys every object, which is seen from outside only where that does
something: __del__, the callback of a weak reference, the `finally` of a generator that waits,
the buffer of a file. The collector lists all objects that may refer to others, except those that
were frozen in the template; a program leaves a dozen, or some hundred. Where each is of a type
that is known to go in silence, so do all: what the collector does not list (numbers, text, and
the like) has no such types here, as long as warnings about what was not closed stay ignored, and
a program's own classes are listed, whether their instances are or not.

Known are types by name, for those that are written in C, or by the package that they come from,
and for those that are written in Python by what they derive from. Everything else is in doubt, and
so are modules: a program's own import may have brought types that nobody has read, as have modules
of others in the template.
"""

from __future__ import annotations

import _socket
import _warnings
import ctypes
import gc
import io
import socket
import sys
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

#: More objects take longer to look at than to take apart.
MOST_OBJECTS = 4096

# fmt: off
#: Types written in C, also those that the collector never lists, whose instances go in silence:
#: they give memory back, and let go of what they refer to. Not str: a text of a program's own type
#: may be the name of a global, and is asked for its hash when that goes.
_SILENT = frozenset(f"builtins.{name}" for name in (
    "NoneType", "NotImplementedType", "bool", "builtin_function_or_method", "builtin_method",
    "bytearray", "bytearray_iterator", "bytes", "bytes_iterator", "callable_iterator", "cell",
    "classmethod", "classmethod_descriptor", "code", "complex", "dict", "dict_itemiterator",
    "dict_items", "dict_keyiterator", "dict_keys", "dict_reverseitemiterator",
    "dict_reversekeyiterator", "dict_reversevalueiterator", "dict_valueiterator", "dict_values",
    "ellipsis", "enumerate", "filter", "float", "frame", "frozenset", "function",
    "generic_alias_iterator", "getset_descriptor", "hamt", "hamt_array_node",
    "hamt_bitmap_node", "hamt_collision_node", "int", "iterator", "list", "list_iterator",
    "list_reverseiterator", "longrange_iterator", "managedbuffer", "map", "mappingproxy",
    "member_descriptor", "memory_iterator", "memoryview", "method", "method-wrapper",
    "method_descriptor", "object", "odict_items", "odict_iterator", "odict_keys", "odict_values",
    "property", "range", "range_iterator", "reversed", "set", "set_iterator", "slice",
    "staticmethod", "str_ascii_iterator", "str_iterator", "super", "traceback", "tuple",
    "tuple_iterator", "wrapper_descriptor", "zip",
)) | frozenset((
    "_abc._abc_data", "_collections._deque_iterator", "_collections._deque_reverse_iterator",
    "_collections._tuplegetter", "_contextvars.Context", "_contextvars.ContextVar",
    "_contextvars.Token", "_hashlib.HASH", "_hashlib.HMAC", "_random.Random", "_sre.SRE_Scanner",
    "_struct.Struct", "_struct.unpack_iterator", "_thread.RLock", "_thread.lock", "array.array",
    "array.arrayiterator", "collections.OrderedDict", "collections._deque_iterator",
    "collections._deque_reverse_iterator", "collections._tuplegetter", "collections.defaultdict",
    "collections.deque", "datetime.IsoCalendarDate", "datetime.date", "datetime.datetime",
    "datetime.time", "datetime.timedelta", "datetime.timezone", "datetime.tzinfo",
    "decimal.Context", "decimal.ContextManager", "decimal.Decimal", "decimal.SignalDictMixin",
    "functools.KeyWrapper", "functools._lru_cache_wrapper", "functools.partial",
    "itertools._grouper", "itertools._tee", "itertools._tee_dataobject", "itertools.accumulate",
    "itertools.batched", "itertools.chain", "itertools.combinations",
    "itertools.combinations_with_replacement", "itertools.compress", "itertools.count",
    "itertools.cycle", "itertools.dropwhile", "itertools.filterfalse", "itertools.groupby",
    "itertools.islice", "itertools.pairwise", "itertools.permutations", "itertools.product",
    "itertools.repeat", "itertools.starmap", "itertools.takewhile", "itertools.zip_longest",
    "operator.attrgetter", "operator.itemgetter", "operator.methodcaller", "re.Match",
    "re.Pattern", "time.struct_time", "types.GenericAlias", "types.SimpleNamespace",
    "types.UnionType", "typing.Generic", "typing.ParamSpec", "typing.TypeAliasType",
    "typing.TypeVar", "typing.TypeVarTuple", "typing.Union",
))
#: What makes classes, and does nothing when one goes.
_CLASS_MAKERS = frozenset(("builtins.type", "abc.ABCMeta", "enum.EnumMeta", "enum.EnumType"))
#: Of the standard library, where an operator preloads it: the collector may not list what closes
#: a database or restores a terminal.
_UNREAD = (
    "_curses", "_dbm", "_gdbm", "_sqlite3", "_testcapi", "_tkinter", "_xxsubinterpreters",
    "_interpreters", "readline",
)
#: Packages whose types in C were read, and what Cython and pandas bring along: instances give
#: memory back and let go of what they refer to ...
_READ_PACKAGES = frozenset(("_cyutility", "cython_runtime", "dateutil", "numpy", "pandas", "six"))
_READ_PREFIXES = ("_cython_", "_sysconfigdata_")
#: ... but for Cython's, by the end of their names, which run the `finally` that they wait in,
_LOUD_ENDINGS = (".coroutine", ".coroutine_wrapper", ".generator", ".async_generator")
#: and for this one, which warns where it has not written back, and which no collector lists.
_UNLISTED = "numpy.nditer"
# fmt: on

#: What an open file can be made of.
_STREAMS = (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO)

#: Of __flags__; the second since Python 3.10.
_HEAP_TYPE = 1 << 9
_IMMUTABLE_TYPE = 1 << 8

#: Not attributes that a class may have replaced.
_dict_of: Callable[[type], types.MappingProxyType[str, Any]] = type.__dict__["__dict__"].__get__
_order_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__


def prepare() -> Callable[[types.ModuleType], bool]:
    """Learn what a template consists of, when it has everything.

    Returns a function for the end of its forks, given __main__: whether all goes in silence.
    """
    silent, changing = _known()
    makers = frozenset(cls for cls in _classes() if _name(cls) in _CLASS_MAKERS)
    unread = _unread()
    unlisted = frozenset(cls for cls in _classes() if _name(cls) == _UNLISTED)
    looks: dict[type, Callable[[Any], bool]] = {
        **dict.fromkeys(_STREAMS, _is_closed),
        io.BytesIO: _is_plain,
        io.StringIO: _is_plain,
        socket.socket: _is_closed_socket,
        types.GeneratorType: _is_finished,
        weakref.ref: _is_unheard,
    }
    get_objects, get_debug, get_count = gc.get_objects, gc.get_debug, gc.get_count
    referents = gc.get_referents
    callbacks, garbage = gc.callbacks, gc.garbage
    module_type, modules = types.ModuleType, sys.modules
    filters, warn = _warnings.filters, vars(warnings)
    usual_filters = list(filters)
    if not _are_quiet(filters):
        return lambda main: False

    def is_silent(main: types.ModuleType) -> bool:
        if callbacks or garbage or get_debug():
            return False
        # To list them is work too. Up to here nearly all were looked at by the collector only once.
        new, _, often = get_count()
        if often or new > MOST_OBJECTS:
            return False
        if filters != usual_filters or warn.get("filters") is not filters:
            return False
        for name in unread:
            if name in modules:
                return False
        objects = get_objects()
        if len(objects) > MOST_OBJECTS:
            return False
        doubtful = set(map(type, objects)) - silent
        own = set()
        kinds = set()
        makers_used = set()
        main_is_listed = False
        for thing in objects:
            kind = type(thing)
            if kind not in doubtful:
                continue
            if kind is module_type:
                if thing is not main:
                    return False
                main_is_listed = True
            elif kind in looks:
                if not looks[kind](thing):
                    return False
            elif kind in makers:
                own.add(thing)
                makers_used.add(kind)
            else:
                kinds.add(kind)
        for cls in kinds | own:
            for base in _order_of(cls):
                if base in silent:
                    continue
                if (base not in changing and base not in own) or _speaks(base):
                    return False
        # If it is not listed, nothing is: the program has had its objects frozen.
        if not main_is_listed or any(map(_speaks, makers_used)):
            return False
        return "numpy" not in modules or unlisted.isdisjoint(map(type, referents(*objects)))

    return is_silent


def _speaks(cls: type) -> bool:
    """Whether it has its instances do something when they go; the second is new in Python 3.12."""
    members = _dict_of(cls)
    return "__del__" in members or "__release_buffer__" in members


def _is_plain(stream: Any) -> bool:
    """Whether its close(), which is called when it goes, is not one that was put in its place."""
    return not stream.__dict__


def _is_closed(stream: Any) -> bool:
    """Whether nothing is left to flush; without a question to a stream that may answer in words."""
    below = stream
    while type(below) is not io.FileIO:
        if type(below) not in _STREAMS:
            return False
        try:
            below = below.buffer if type(below) is io.TextIOWrapper else below.raw
        except ValueError:
            return False  # detached
    return below.closed


def _is_closed_socket(sock: socket.socket) -> bool:
    return not _speaks(socket.socket) and _socket.socket.fileno(sock) < 0


def _is_finished(generator: types.GeneratorType[Any, Any, Any]) -> bool:
    return generator.gi_frame is None


def _is_unheard(reference: Any) -> bool:
    """Whether nothing is called when what it refers to goes, or only what abc.py calls."""
    called = reference.__callback__
    return called is None or (
        type(called) is types.BuiltinFunctionType
        and called.__name__ == "_destroy"
        and type(called.__self__) is weakref.ref
    )


def _known() -> tuple[frozenset[type], frozenset[type]]:
    """Types that go in silence: those that stay as they are, those that a program may change."""
    ordinary = _deallocator(_Ordinary)
    silent: set[type] = set()
    open_to_change: set[type] = set()
    for cls in _classes():
        if _deallocator(cls) == ordinary:
            open_to_change.add(cls)
        elif (
            _name(cls) in _SILENT
            or _is_exception_of_the_interpreter(cls)
            or _is_of_read_package(cls)
        ):
            changes = cls.__flags__ & _HEAP_TYPE and not cls.__flags__ & _IMMUTABLE_TYPE
            (open_to_change if changes else silent).add(cls)
    known = silent | {cls for cls in open_to_change if not _speaks(cls)}
    changing = {cls for cls in open_to_change if known.issuperset(_order_of(cls))}
    # By these the inside calls the C library.
    public: Any = ctypes.pythonapi._FuncPtr
    functions: set[type] = set(type.__subclasses__(public.__base__)) - {public}
    silent.update(cls for cls in functions if cls.__name__ == "_FuncPtr")
    return frozenset(silent), frozenset(changing)


class _Ordinary:
    """A class like any that is written in Python."""


def _deallocator(cls: type) -> int:
    """Its tp_dealloc: after the size of a variable object, the type's name, and two sizes."""
    offset = object.__basicsize__ + 4 * ctypes.sizeof(ctypes.c_void_p)
    return ctypes.c_void_p.from_address(id(cls) + offset).value or 0


def _classes() -> Iterator[type]:
    """All that there are."""
    seen = {object}
    waiting = [object]
    while waiting:
        cls = waiting.pop()
        yield cls
        new = [sub for sub in type.__subclasses__(cls) if sub not in seen]
        seen.update(new)
        waiting += new


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _is_read(package: str) -> bool:
    return package in _READ_PACKAGES or package.startswith(_READ_PREFIXES)


def _is_of_read_package(cls: type) -> bool:
    name = _name(cls)
    return _is_read(name.partition(".")[0]) and not name.endswith(_LOUD_ENDINGS)


def _is_exception_of_the_interpreter(cls: type) -> bool:
    return BaseException in _order_of(cls) and cls.__module__ == "builtins"


def _unread() -> tuple[str, ...]:
    """Modules in this template that may have types that nobody has read, by what brings them."""
    read = getattr(sys, "stdlib_module_names", frozenset()) | {
        name.partition(".")[0] for name in sys.modules
    }
    modules = [thing for thing in gc.get_objects() if type(thing) is types.ModuleType]
    loaded = {str(vars(module).get("__name__")) for module in modules}
    packages = {name.partition(".")[0] for name in loaded} - read - {__name__.partition(".")[0]}
    return (*_UNREAD, *sorted(package for package in packages if not _is_read(package)))


def _are_quiet(filters: list[tuple[Any, ...]]) -> bool:
    """Whether nobody is told of what was not closed."""
    actions = [action for action, _, kind, _, _ in filters if issubclass(ResourceWarning, kind)]
    return bool(actions) and set(actions) == {"ignore"}
