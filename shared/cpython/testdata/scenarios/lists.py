"""list. Each scenario ends with a look at what the list holds."""

from .steps import Family, New, a, b

scenarios = []
lst = Family(scenarios, "list", a.copy)


def s(*parts):
    """[1:2] of a list, as an argument."""
    return slice(*parts)


lst("of nothing", a.__len__(), a.iter())
lst("of a sequence", New([1, 2, 3]), a.__len__(), b.iter())
lst("of a word", New("abc"), a.__len__())
lst("append", a.append(1), b.append([2]), a.append(None), a.__len__())
lst("items by index", New([1, 2, 3]), a.__getitem__(0), a.__getitem__(2), a.__getitem__(-1), a.__getitem__(-3))
lst("items out of range", New([1, 2, 3]), a.__getitem__(3), a.__getitem__(-4), a.__getitem__(10**9))
lst("an item of an empty list", a.__getitem__(0), a.__getitem__(-1))
lst("an index that is none", New([1]), a.__getitem__("0"), a.__getitem__(None), a.__getitem__(0.0))
lst("set an item", New([1, 2, 3]), a.__setitem__(0, 9), a.__setitem__(-1, 8))
lst("set an item out of range", New([1, 2]), a.__setitem__(2, 9), a.__setitem__(-3, 9))
lst("delete an item", New([1, 2, 3]), a.__delitem__(0), a.__delitem__(-1))
lst("delete an item out of range", New([1]), a.__delitem__(1), a.__delitem__(-2))

lst("slices", New([0, 1, 2, 3, 4]), a.__getitem__(s(1, 3)), a.__getitem__(s(None)), a.__getitem__(s(2, None)),
    a.__getitem__(s(None, 2)), a.__getitem__(s(-2, None)), a.__getitem__(s(None, -2)), a.__getitem__(s(3, 1)))
lst("slices beyond the ends", New([0, 1, 2]), a.__getitem__(s(1, 99)), a.__getitem__(s(-99, 2)),
    a.__getitem__(s(5, 9)), a.__getitem__(s(-99, 99)))
lst("slices with a step", New([0, 1, 2, 3, 4]), a.__getitem__(s(None, None, 2)), a.__getitem__(s(1, None, 2)),
    a.__getitem__(s(None, None, -1)), a.__getitem__(s(3, 0, -2)), a.__getitem__(s(0, 3, -1)),
    a.__getitem__(s(None, None, 99)), a.__getitem__(s(-1, -99, -3)))
lst("a slice with a step of nothing", New([1, 2]), a.__getitem__(s(None, None, 0)),
    a.__setitem__(s(None, None, 0), [1, 2]), a.__delitem__(s(None, None, 0)))
lst("set a slice", New([0, 1, 2, 3, 4]), a.__setitem__(s(1, 3), [9, 8]))
lst("set a slice to more", New([0, 1, 2]), a.__setitem__(s(1, 2), [7, 8, 9]))
lst("set a slice to less", New([0, 1, 2, 3]), a.__setitem__(s(1, 3), []))
lst("set an empty slice inserts", New([0, 1]), a.__setitem__(s(1, 1), [8, 9]), a.__setitem__(s(99, 99), [7]))
lst("set a slice that ends before it begins", New([0, 1, 2, 3]), a.__setitem__(s(3, 1), [9]))
lst("set the whole", New([0, 1, 2]), a.__setitem__(s(None), [5]))
lst("set a slice to no sequence", New([0, 1]), a.__setitem__(s(0, 1), 5))
lst("set an extended slice", New([0, 1, 2, 3, 4]), a.__setitem__(s(None, None, 2), [9, 8, 7]))
lst("set an extended slice backwards", New([0, 1, 2, 3]), a.__setitem__(s(None, None, -1), [9, 8, 7, 6]))
lst("set an extended slice to another number", New([0, 1, 2, 3]), a.__setitem__(s(None, None, 2), [9]),
    a.__setitem__(s(None, None, 2), [9, 8, 7]), a.__setitem__(s(None, None, -1), [1]))
lst("delete a slice", New([0, 1, 2, 3, 4]), a.__delitem__(s(1, 3)))
lst("delete a slice beyond the ends", New([0, 1, 2]), a.__delitem__(s(2, 99)), a.__delitem__(s(9, 99)))
lst("delete an extended slice", New([0, 1, 2, 3, 4]), a.__delitem__(s(None, None, 2)))
lst("delete an extended slice backwards", New([0, 1, 2, 3, 4]), a.__delitem__(s(3, None, -2)))
lst("delete the whole", New([0, 1, 2]), a.__delitem__(s(None)))

lst("insert", New([1, 3]), a.insert(1, 2), a.insert(0, 0), a.insert(4, 4))
lst("insert with a negative index", New([1, 2, 4]), a.insert(-1, 3))
lst("insert beyond the ends", New([1]), a.insert(99, 2), a.insert(-99, 0))
lst("pop", New([1, 2, 3, 4]), a.pop(), b.pop(0), a.pop(-1))
lst("pop out of range", New([1]), a.pop(1), a.pop(-2))
lst("pop from an empty list", a.pop(), a.pop(0))
lst("remove", New([1, 2, 1]), a.remove(1))
lst("remove what is not there", New([1]), a.remove(2), a.remove("1"))
lst("extend", New([1]), a.extend([2, 3]), b.extend((4,)), a.extend("ab"))
lst("extend by nothing", New([1]), a.extend([]))
# A list proxy that is given to its own extend makes CPython's manager grow the
# list until there is no more memory; so by what it holds.
lst("extend by itself", New([1, 2]), a.__getitem__(s(None)), a.extend([1, 2]))
lst("extend by no sequence", New([1]), a.extend(2))
lst("+=", New([1]), a.__iadd__([2, 3]), b.__iadd__((4,)))
lst("*=", New([1, 2]), a.__imul__(2))
lst("*= 0", New([1, 2]), a.__imul__(0))
lst("*= of less than 0", New([1, 2]), a.__imul__(-1))
lst("*= of no number", New([1]), a.__imul__("2"))
lst("+", New([1]), a.__add__([2]), a.__add__([]))
lst("+ of no list", New([1]), a.__add__((2,)))
lst("*", New([1, 2]), a.__mul__(2), a.__rmul__(2), a.__mul__(0), a.__mul__(-1))
lst("in", New([1, "a", None]), a.__contains__(1), a.__contains__("a"), a.__contains__(None), a.__contains__(2))
lst("in, across kinds of numbers", New([1, 2.5]), a.__contains__(1.0), a.__contains__(True), a.__contains__(2.5))
lst("count", New([1, 2, 1, [1]]), a.count(1), a.count(3), a.count([1]))
lst("index", New([5, 6, 5, 7]), a.index(5), a.index(7))
lst("index from a start", New([5, 6, 5, 7]), a.index(5, 1), a.index(5, -2), a.index(5, 3), a.index(5, -99))
lst("index in bounds", New([5, 6, 5, 7]), a.index(5, 1, 3), a.index(5, 1, 2), a.index(7, 0, -1), a.index(7, 0, 99),
    a.index(5, 3, 1))
lst("index of what is not there", New([1]), a.index(2))
lst("reverse", New([1, 2, 3]), a.reverse())
lst("reverse of an empty list", a.reverse())
lst("reversed", New([1, 2, 3]), a.reversed())
lst("iterate", New([1, 2, 3]), a.iter())
lst("sort", New([3, 1, 2]), a.sort())
lst("sort of words", New(["b", "a", "B", "é", ""]), a.sort())
lst("sort backwards", New([3, 1, 2]), a.sort(reverse=True))
lst("sort keeps the order of equals", New([[1, "b"], [0, "x"], [1, "a"]]), a.sort())
lst("sort by a key", New(["ccc", "a", "bb"]), a.sort(key=len))
lst("sort by a key backwards keeps the order of equals", New(["bb", "a", "cc", "d"]), a.sort(key=len, reverse=True))
lst("sort of what cannot be compared", New([1, "a"]), a.sort())
lst("sort of what cannot be compared backwards", New([None, 1]), a.sort(reverse=True))
lst("sort of nothing", a.sort())
lst("clear", New([1, 2]), a.clear(), a.__len__(), a.clear())
lst("copy is another list", New([1]), a.copy(), a.append(2))
lst("an item that is changed in place stays as it was", New([[1]]), a.__getitem__(0), a.__setitem__(0, [1, 2]),
    b.__getitem__(0))
lst("arguments that are missing or too many", New([1]), a.append(), a.append(1, 2), a.pop(1, 2), a.insert(1))
