"""Event, Condition and Barrier."""

from .steps import Family, New, Predicate, a, b, c, freed

scenarios = []
event = Family(scenarios, "Event")
condition = Family(scenarios, "Condition")
barrier = Family(scenarios, "Barrier")

event("set and clear", a.is_set(), a.set(), b.is_set(), a.set(), a.clear(), b.is_set(), a.clear())
event("wait when it is set", a.set(), b.wait(), b.wait(0), b.wait(0.05), b.wait(timeout=0.05))
event("wait until it is set", a.wait().blocks("a"), b.set().unblocks("a"), a.is_set())
event("all who wait are let go", a.wait().blocks("a"), b.wait(30).blocks("b"), c.set().unblocks("a", "b"))
event("wait in vain", a.wait(0.05), a.wait(timeout=0), a.wait(-1), a.is_set())
event("wait after clear", a.set(), a.clear(), a.wait().blocks("a"), b.clear(), b.set().unblocks("a"))
event("what is not among its methods", a._callmethod("nope"), a._callmethod("__init__"),
      a._callmethod("_at_fork_reinit"))

condition("acquire and release", a.locked(), a.acquire(), a.locked(), b.acquire(False), a.release(),
          b.acquire(False), b.release(), a.locked())
condition("as a context", a.__enter__(), b.acquire(False), a.__exit__(None, None, None), b.acquire(False))
condition("another one waits for its lock", a.acquire(), b.acquire().blocks("b"), a.release().unblocks("b"),
          a.acquire(False), a.acquire(timeout=0.05))
condition("its holder may have it again", a.acquire(), a.acquire(), a.release(), b.acquire(False), a.release(),
          b.acquire(False))
condition("release of a free lock", a.release())
condition("release by another one", a.acquire(), b.release(), a.release())
condition("wait without the lock", a.wait(), a.wait(0.05), b.acquire(), a.wait(), a.wait(0.05))
condition("notify without the lock", a.notify(), a.notify_all(), b.acquire(), a.notify(), a.notify_all())
condition("notify where nobody waits", a.acquire(), a.notify(), a.notify(5), a.notify_all(), a.wait(0.05))
condition("wait until notified", a.acquire(), a.wait().blocks("a"), b.acquire(), b.notify(),
          b.release().unblocks("a"), b.acquire(False), a.release(), b.acquire(False))
condition("wait releases the lock, also one held twice", a.acquire(), a.acquire(), a.wait().blocks("a"),
          b.acquire(False), b.notify(), b.release().unblocks("a"), a.release(), b.acquire(False), a.release(),
          b.acquire(False))
condition("wait in vain", a.acquire(), a.wait(0.05), a.wait(timeout=0), a.wait(-1), b.acquire(False), a.release())
condition("one who waited in vain is not notified", a.acquire(), a.wait(0.05), a.release(), b.acquire(),
          b.wait().blocks("b"), a.acquire(), a.notify(), a.release().unblocks("b"))
condition("wait with a timeout is notified before it", a.acquire(), a.wait(30).blocks("a"), b.acquire(), b.notify(),
          b.release().unblocks("a"))
condition("notify one of two", a.acquire(), a.wait().blocks("a"), b.acquire(), b.wait().blocks("b"), c.acquire(),
          c.notify(), c.release().unblocks("a"), a.notify(), a.release().unblocks("b"))
condition("notify two of two", a.acquire(), a.wait().blocks("a"), b.acquire(), b.wait().blocks("b"), c.acquire(),
          c.notify(2), c.release().unblocks_one_of("a", "b"), freed.release().unblocks_one_of("a", "b"),
          freed.release(), c.acquire(False))
condition("notify of more than wait", a.acquire(), a.wait().blocks("a"), b.acquire(), b.notify(5),
          b.release().unblocks("a"))
condition("notify of none", a.acquire(), a.wait().blocks("a"), b.acquire(), b.notify(0), b.notify(n=1),
          b.release().unblocks("a"))
condition("notify_all", a.acquire(), a.wait().blocks("a"), b.acquire(), b.wait().blocks("b"), c.acquire(),
          c.notify_all(), c.release().unblocks_one_of("a", "b"), freed.release().unblocks_one_of("a", "b"),
          freed.release(), c.acquire(False))
condition("wait_for what is so", a.acquire(), a.wait_for(Predicate(True)), a.wait_for(Predicate(7), 0.05))
condition("wait_for without the lock", a.wait_for(Predicate(True)), a.wait_for(Predicate(False)))
condition("wait_for what becomes so", a.acquire(), a.wait_for(Predicate(False, False, True)).blocks("a"),
          b.acquire(), b.notify(), b.release(), b.acquire(), b.notify(), b.release().unblocks("a"))
condition("wait_for in vain", a.acquire(), a.wait_for(Predicate(False, False), 0.05),
          a.wait_for(Predicate(False, 0), timeout=0.05), a.release())
condition("wait_for something false", a.acquire(), a.wait_for(Predicate(False, 3), timeout=0.05))
condition("with a lock of its own", New(New().of("Lock")), a.acquire(), b.acquire(False).other(),
          a.release(), b.acquire().other(), a.acquire(False), b.release().other())
condition("wait with a lock of its own", New(New().of("Lock")), a.acquire(), a.wait().blocks("a"),
          b.acquire().other(), b.notify(), b.release().other().unblocks("a"), a.release())

barrier("lets all go when all are there", New(2), a.wait().blocks("a"), b.n_waiting(),
        b.wait().unblocks("a"), b.n_waiting())
barrier("numbers those who come", New(3), a.wait().blocks("a"), b.wait().blocks("b"), c.wait().unblocks("a", "b"))
barrier("again and again", New(2), a.wait().blocks("1"), b.wait().unblocks("1"), b.wait().blocks("2"),
        a.wait().unblocks("2"), a.broken())
barrier("of one", New(1), a.wait(), a.wait(0), a.n_waiting(), a.parties())
barrier("of none", New(0))
barrier("of less than none", New(-1))
barrier("what it tells", New(3), a.parties(), a.n_waiting(), a.broken(), a.wait().blocks("a"), b.n_waiting(),
        b.wait().blocks("b"), c.n_waiting(), c.wait().unblocks("a", "b"), c.n_waiting())
barrier("breaks when one waits in vain", New(2), a.wait(0.05), a.broken(), a.wait(), b.wait(0.05), b.n_waiting())
barrier("breaks at once with a timeout of nothing", New(2), a.wait(0), a.broken())
barrier("breaks for all when one waits in vain", New(3), a.wait().blocks("a"), b.wait(0.05).unblocks("a"), c.wait(),
        c.broken())
barrier("its own timeout", New(2, timeout=0.05), a.wait(), a.broken())
barrier("a timeout instead of its own", New(2, None, 0.05), a.wait(30).blocks("a"), b.wait().unblocks("a"))
barrier("abort breaks it for those who wait", New(3), a.wait().blocks("a"), b.wait().blocks("b"),
        c.abort().unblocks("a", "b"), c.wait(), c.broken(), c.n_waiting())
barrier("abort of one where nobody waits", New(2), a.abort(), a.broken(), a.wait(), a.abort(), a.broken())
barrier("reset repairs it", New(2), a.abort(), a.reset(), a.broken(), a.wait().blocks("a"), b.wait().unblocks("a"))
barrier("reset ends the waits", New(3), a.wait().blocks("a"), b.wait().blocks("b"), c.reset().unblocks("a", "b"),
        c.broken(), c.n_waiting())
barrier("reset where nobody waits", New(2), a.reset(), a.broken(), a.wait().blocks("a"), b.wait().unblocks("a"))
barrier("reset after one waited in vain", New(2), a.wait(0.05), a.reset(), a.wait().blocks("a"),
        b.wait().unblocks("a"))
barrier("its action runs once each time", New(2, str), a.wait().blocks("a"), b.wait().unblocks("a"), b.broken())
barrier("breaks when its action fails", New(2, next), a.wait().blocks("a"), b.wait().unblocks("a"), b.broken())
