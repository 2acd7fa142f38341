"""The scenarios, a file for each family of types."""

from . import containers, dicts, lists, locks, queues, sets, waits
from .steps import FREED, New, Predicate

__all__ = ["FREED", "New", "Predicate", "everything"]


def everything():
    found = []
    for module in queues, locks, waits, lists, dicts, sets, containers:
        found += module.scenarios
    return found
