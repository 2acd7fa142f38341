"""set, whose proxy came with 3.14. Each scenario ends with a look at what the
set holds."""

from .steps import Family, New, a, b

scenarios = []
st = Family(scenarios, "set", a.copy)

st("of nothing", a.__len__(), a.iter())
st("of a sequence", New([3, 1, 2, 1]), a.__len__())
st("iterate", New([5]), a.iter())
st("add", a.add(1), b.add(2), a.add(1), a.__len__())
st("add of what cannot be hashed", a.add([1]))
st("in", New([1, 2]), a.__contains__(1), a.__contains__(3), a.__contains__("1"))
st("discard", New([1, 2]), a.discard(1), a.discard(9))
st("remove", New([1, 2]), a.remove(1), a.remove(1))
st("pop", New([7]), a.pop(), a.pop())
st("clear", New([1, 2]), a.clear(), a.__len__(), a.clear())
st("copy is another set", New([1]), a.copy(), a.add(2))
st("update", New([1]), a.update([2, 3]), b.update([3, 4], {5}), a.update(), a.update([]))
st("|=", New([1]), a.__ior__({2, 3}))
st("union", New([1, 2]), a.union([2, 3]), a.union([2, 3], {4}), a.union())
st("intersection", New([1, 2, 3]), a.intersection([2, 3, 4]), a.intersection([2, 3], {3, 4}), a.intersection(),
   a.intersection([]))
st("difference", New([1, 2, 3]), a.difference([2, 9]), a.difference([1], {3}), a.difference())
st("symmetric_difference", New([1, 2, 3]), a.symmetric_difference([3, 4]), a.symmetric_difference([]))
st("symmetric_difference takes one argument", New([1]), a.symmetric_difference(), a.symmetric_difference([1], [2]))
st("intersection_update", New([1, 2, 3, 4]), a.intersection_update([1, 2, 3], {2, 3, 9}))
st("intersection_update by nothing", New([1, 2]), a.intersection_update(), a.intersection_update([]))
st("&=", New([1, 2, 3]), a.__iand__({2, 3, 4}))
st("difference_update", New([1, 2, 3, 4]), a.difference_update([1], {2, 9}), a.difference_update())
st("-=", New([1, 2, 3]), a.__isub__({2, 9}))
st("symmetric_difference_update", New([1, 2, 3]), a.symmetric_difference_update([3, 4, 4]))
st("^=", New([1, 2, 3]), a.__ixor__({3, 4}))
st("operators", New([1, 2, 3]), a.__or__({3, 4}), a.__and__({2, 3, 4}), a.__sub__({3, 4}), a.__xor__({3, 4}))
st("operators from the right", New([1, 2, 3]), a.__ror__({3, 4}), a.__rand__({3, 4}), a.__rsub__({3, 4}),
   a.__rxor__({3, 4}))
st("isdisjoint", New([1, 2]), a.isdisjoint([3]), a.isdisjoint([2, 3]), a.isdisjoint([]))
st("issubset", New([1, 2]), a.issubset([1, 2, 3]), a.issubset([1, 2]), a.issubset([1]), a.issubset([]))
st("issuperset", New([1, 2]), a.issuperset([1]), a.issuperset([1, 2]), a.issuperset([1, 2, 3]), a.issuperset([]))
st("an empty set is a subset of each", a.issubset([]), a.issubset([1]), a.issuperset([]), a.isdisjoint([1]))
st("comparisons", New([1, 2]), a.call("__le__")({1, 2}), a.call("__lt__")({1, 2}), a.call("__lt__")({1, 2, 3}),
   a.call("__ge__")({1}), a.call("__gt__")({1, 2}), a.call("__gt__")({1}), a.call("__le__")({3}))
st("members that are equal numbers", a.add(1), a.add(1.0), a.add(True), a.__len__())
st("words", New(["b", "a"]), a.add("a"), a.add("c"), a.discard("b"))
st("arguments that are missing or no sequence", New([1]), a.add(), a.update(5), a.union(5))
