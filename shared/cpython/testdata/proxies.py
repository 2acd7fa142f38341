"""The manager that the scenarios run on: CPython's SyncManager and, registered
as a user registers them, the kinds of queues that it lacks and what its proxies
gained in 3.14 (sets; clear and copy of lists; the operators, reversed and
fromkeys of dicts; locked).
"""

import queue
import re
import threading
from multiprocessing import managers


class Manager(managers.SyncManager):
    pass


for kind in queue.LifoQueue, queue.PriorityQueue, queue.SimpleQueue:
    Manager.register(kind.__name__, kind)


class Locked:
    """locked() as 3.14 has it, seen from what 3.13 tells about the object."""

    def locked(self):
        return re.search(r"<locked|: value=0[/>]", self._callmethod("__repr__")) is not None


class Acquirer(Locked, managers.AcquirerProxy):
    _exposed_ = managers.AcquirerProxy._exposed_


class Condition(Locked, managers.ConditionProxy):
    _exposed_ = managers.ConditionProxy._exposed_


for kind in "Lock", "RLock", "Semaphore", "BoundedSemaphore":
    Manager.register(kind, getattr(threading, kind), Acquirer)
Manager.register("Condition", threading.Condition, Condition)

BaseList = managers.MakeProxyType(
    "BaseList", managers.ListProxy._exposed_ + ("clear", "copy")
)


class List(BaseList):
    __iadd__ = managers.ListProxy.__iadd__
    __imul__ = managers.ListProxy.__imul__


Manager.register("list", list, List)

BaseDict = managers.MakeProxyType(
    "BaseDict",
    managers.DictProxy._exposed_
    + ("__or__", "__ror__", "__ior__", "__reversed__", "fromkeys"),
)


class Dict(BaseDict):
    _method_to_typeid_ = {"__iter__": "Iterator", "__reversed__": "Iterator"}

    def __ior__(self, other):
        self._callmethod("__ior__", (other,))
        return self


Manager.register("dict", dict, Dict)

OPERATORS = [f"__{side}{op}__" for side in ("", "r") for op in ("and", "or", "sub", "xor")]
COMPARISONS = ["__le__", "__lt__", "__ge__", "__gt__"]
IN_PLACE = ["__iand__", "__ior__", "__isub__", "__ixor__"]

BaseSet = managers.MakeProxyType(
    "BaseSet",
    OPERATORS
    + COMPARISONS
    + IN_PLACE
    + "__contains__ __iter__ __len__ add clear copy difference difference_update".split()
    + "discard intersection intersection_update isdisjoint issubset issuperset".split()
    + "pop remove symmetric_difference symmetric_difference_update union update".split(),
)


def in_place(name):
    def method(self, other):
        self._callmethod(name, (other,))
        return self

    return method


class Set(BaseSet):
    _method_to_typeid_ = {"__iter__": "Iterator"}


for name in IN_PLACE:
    setattr(Set, name, in_place(name))

Manager.register("set", set, Set)
