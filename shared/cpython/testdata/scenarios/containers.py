"""Namespace, Value and Array."""

from .steps import Family, New, a, b

scenarios = []
namespace = Family(scenarios, "Namespace")
value = Family(scenarios, "Value")
array = Family(scenarios, "Array")

namespace("set, get and delete", a.setattr("x", 1), b.getattr("x"), b.setattr("x", 2), a.getattr("x"),
          a.delattr("x"), b.getattr("x"))
namespace("of names", New(x=1, y=[2]), a.getattr("x"), a.getattr("y"))
namespace("an attribute that is not there", a.getattr("x"), a.delattr("x"))
namespace("None is a value like others", a.setattr("x", None), b.getattr("x"))
namespace("names with _ are not shared", a.setattr("_x", 1), a.getattr("_x"), b.getattr("_x"))

value("get and set", New("i", 5), a.get(), b.set(6), a.get())
value("by its attribute", New("i", 5), a.getattr("value"), a.setattr("value", 7), b.getattr("value"))
value("of any type: the typecode is not looked at", New("i", "x"), a.get(), a.set(1.5), a.get(), a.set(None), a.get())
value("+= is a get and a set", New("i", 1), a.get(), b.get(), a.set(2), b.set(2), a.get())
value("without its value", New("i"))

array("of numbers", New("i", [1, 2, 3]), a.__len__(), a.__getitem__(0), a.__getitem__(-1), a.iter())
array("of nothing", New("i", []), a.__len__(), a.__getitem__(0))
array("set", New("i", [1, 2, 3]), a.__setitem__(0, 9), b.__setitem__(-1, 8), a.iter())
array("out of range", New("i", [1, 2]), a.__getitem__(2), a.__getitem__(-3), a.__setitem__(2, 1),
      a.__setitem__(-3, 1))
array("a value of another type", New("i", [1]), a.__setitem__(0, "x"), a.__setitem__(0, 1.5), a.__setitem__(0, None),
      a.__getitem__(0))
array("an index that is none", New("i", [1]), a.__getitem__("0"))
array("a value beyond its type", New("b", [1]), a.__setitem__(0, 128), a.__setitem__(0, -129), a.__setitem__(0, -128),
      a.__getitem__(0))
array("of doubles", New("d", [1.5, 2]), a.__getitem__(0), a.__setitem__(1, 0.25), a.__getitem__(1))
array("made of another type", New("i", ["x"]))
array("made of a value beyond its type", New("b", [128]))
array("of a type that is none", New("?", [1]))
