from dataclasses import dataclass, field, replace
@dataclass(frozen=True, order=True)
class Item:
    price: float
    name: str = field(compare=False)
    tags: frozenset = field(default=frozenset(), compare=False)
i = [Item(3.5, "pen"), Item(1.25, "clip", frozenset({"small"})), Item(20, "bag")]
assert min(i).name == "clip"; print(sorted(i), replace(i[0], price=1), sum(x.price for x in i))
