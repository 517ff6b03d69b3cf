# All of this goes without a word.
import abc, collections, dataclasses, enum, fractions, functools, itertools, random, re, weakref
class Color(enum.Enum):
    RED = 1
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Square(Shape):
    def area(self): return 1
@dataclasses.dataclass
class Point:
    x: int = 0
class Slots:
    __slots__ = ("a",)
Pair = collections.namedtuple("Pair", "a b")
left = [Color.RED, Square(), Point(), Slots(), Pair(1, 2), fractions.Fraction(1, 3), random.Random(1),
        re.compile("x").match("x"), collections.Counter("abc"), itertools.count(), functools.partial(print)]
print(isinstance(left[1], collections.abc.Iterable))
plain = weakref.ref(left[2])
finished = (n for n in ())
print(list(finished))
