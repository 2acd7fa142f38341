"""dict. Each scenario ends with a look at what the dict holds."""

from .steps import Family, New, a, b

scenarios = []
dct = Family(scenarios, "dict", a.copy)

dct("of nothing", a.__len__(), a.keys(), a.values(), a.items())
dct("of a mapping", New({"a": 1, "b": 2}), a.__len__(), b.items())
dct("of pairs", New([("a", 1), ("b", 2), ("a", 3)]), a.items())
dct("of names", New(a=1, b=2), a.items())
dct("of a mapping and names", New({"a": 1}, a=2, b=3), a.items())
dct("set and get", a.__setitem__("k", 1), b.__getitem__("k"), b.__setitem__("k", 2), a.__getitem__("k"))
dct("get of a key that is not there", New({"a": 1}), a.__getitem__("x"), a.get("x"), a.get("x", 7), a.get("a", 7))
dct("get of None", New({"a": None}), a.get("a", 7), a.__getitem__("a"))
dct("keys of every kind", a.__setitem__(1, "int"), a.__setitem__("1", "str"), a.__setitem__(None, "none"),
    a.__setitem__((1, 2), "tuple"), a.__getitem__(1), a.__getitem__("1"), a.__getitem__(None), a.__getitem__((1, 2)))
dct("keys that are equal numbers", a.__setitem__(1, "a"), a.__setitem__(1.0, "b"), a.__setitem__(True, "c"))
dct("a key that cannot be hashed", a.__setitem__([1], 2), a.__getitem__([1]), a.__contains__([1]))
dct("delete", New({"a": 1, "b": 2}), a.__delitem__("a"), a.__len__())
dct("delete of a key that is not there", New({"a": 1}), a.__delitem__("x"))
dct("in", New({"a": 1, "n": None}), a.__contains__("a"), a.__contains__("n"), a.__contains__("x"))
dct("keys, values, items in the order of insertion", a.__setitem__("b", 2), a.__setitem__("a", 1),
    a.__setitem__("c", 3), a.__setitem__("b", 4), a.keys(), a.values(), a.items())
dct("a key that was deleted comes last again", New({"a": 1, "b": 2}), a.__delitem__("a"), a.__setitem__("a", 3),
    a.keys())
dct("iterate", New({"a": 1, "b": 2}), a.iter())
dct("reversed", New({"a": 1, "b": 2, "c": 3}), a.reversed(), a.__delitem__("b"), a.reversed())
dct("clear", New({"a": 1}), a.clear(), a.__len__(), a.clear())
dct("copy is another dict", New({"a": 1}), a.copy(), a.__setitem__("b", 2))
dct("pop", New({"a": 1, "b": 2}), a.pop("a"), b.pop("b", 7))
dct("pop of a key that is not there", New({"a": 1}), a.pop("x"), a.pop("x", 7), a.pop("x", None))
dct("popitem takes the last one", New({"a": 1, "b": 2, "c": 3}), a.popitem(), b.popitem(), a.__setitem__("z", 9),
    a.popitem(), a.popitem(), a.popitem())
dct("popitem of an empty dict", a.popitem())
dct("popitem after a change of an earlier key", New({"a": 1, "b": 2}), a.__setitem__("a", 3), a.popitem())
dct("setdefault", New({"a": 1}), a.setdefault("a", 2), a.setdefault("b", 3), a.setdefault("c"), a.setdefault("c", 4))
dct("update by a mapping", New({"a": 1, "b": 2}), a.update({"b": 3, "c": 4}))
dct("update by pairs", New({"a": 1}), a.update([("b", 2), ("a", 3), ("b", 4)]))
dct("update by names", New({"a": 1}), a.update(a=2, b=3))
dct("update by a mapping and names", New({"a": 1}), a.update({"a": 2, "c": 5}, a=3, b=4))
dct("update by nothing", New({"a": 1}), a.update(), a.update({}), a.update([]))
dct("update by what has no pairs", New({"a": 1}), a.update([1]), a.update(5), a.update([(1, 2, 3)]))
dct("|", New({"a": 1, "b": 2}), a.__or__({"b": 3, "c": 4}), a.__ror__({"b": 3, "c": 4}))
dct("|=", New({"a": 1, "b": 2}), a.__ior__({"b": 3, "c": 4}), b.__ior__([("d", 5)]))
dct("| of no mapping", New({"a": 1}), a.__ior__(5))
dct("fromkeys", New({"a": 1}), a.fromkeys(["x", "y"]), a.fromkeys(["x"], 7), a.fromkeys([]))
dct("a value that is changed in place stays as it was", New({"a": [1]}), a.__getitem__("a"),
    a.__setitem__("a", [1, 2]), b.__getitem__("a"))
dct("arguments that are missing or too many", New({"a": 1}), a.pop(), a.get(), a.popitem(1), a.clear(1),
    a.setdefault())
