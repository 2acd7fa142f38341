"""Lock, RLock, Semaphore and BoundedSemaphore."""

from .steps import Family, New, a, b, c

scenarios = []
lock = Family(scenarios, "Lock")
rlock = Family(scenarios, "RLock")
semaphore = Family(scenarios, "Semaphore")
bounded = Family(scenarios, "BoundedSemaphore")

lock("acquire and release", a.locked(), a.acquire(), a.locked(), b.locked(), a.release(), a.locked())
lock("as a context", a.__enter__(), b.acquire(False), a.__exit__(None, None, None), b.acquire(False))
lock("another one waits", a.acquire(), b.acquire().blocks("b"), a.release().unblocks("b"), a.acquire(False),
     b.release())
lock("its holder waits like anybody", a.acquire(), a.acquire(False), a.acquire(timeout=0.05), a.release(),
     a.locked())
lock("its holder waits for a release by another one", a.acquire(), a.acquire().blocks("a"),
     b.release().unblocks("a"), a.locked())
lock("without waiting", a.acquire(False), b.acquire(False), b.acquire(blocking=False), a.release(),
     b.acquire(blocking=False))
lock("with a timeout", a.acquire(), b.acquire(True, 0.05), b.acquire(timeout=0), b.acquire(timeout=30).blocks("b"),
     a.release().unblocks("b"))
lock("a timeout of -1 waits for ever", a.acquire(), b.acquire(True, -1).blocks("b"), a.release().unblocks("b"))
lock("a negative timeout", a.acquire(True, -2), a.locked())
lock("a timeout without waiting", a.acquire(False, 1), a.acquire(False, -1))
lock("a timeout that did not wait", a.acquire(), b.acquire(timeout=0.05), a.release(), b.locked())
lock("release of a free lock", a.release(), a.acquire(), a.release(), a.release())
lock("release by another one", a.acquire(), b.release(), a.locked(), a.release())
lock("release of what another one waits for, by it", a.acquire(), b.acquire().blocks("b"),
     c.release().unblocks("b"), b.release())
lock("arguments that are too many", a.release(1), a.acquire(1, 2, 3))

rlock("acquire and release", a.acquire(), a.locked(), a.release(), a.locked())
rlock("as a context", a.__enter__(), a.__enter__(), b.acquire(False), a.__exit__(None, None, None),
      b.acquire(False), a.__exit__(None, None, None), b.acquire(False))
rlock("its holder may have it again", a.acquire(), a.acquire(), a.acquire(False), a.release(), a.release(),
      b.acquire(False), a.release(), b.acquire(False))
rlock("another one waits for the last release", a.acquire(), a.acquire(), b.acquire().blocks("b"), a.release(),
      a.release().unblocks("b"), a.acquire(False), b.release())
rlock("with a timeout", a.acquire(), b.acquire(timeout=0.05), b.acquire(True, 0), a.acquire(timeout=0.05),
      b.acquire(timeout=30).blocks("b"), a.release(), a.release().unblocks("b"))
rlock("release of a free lock", a.release(), a.acquire(), a.release(), a.release())
rlock("release by another one", a.acquire(), b.release(), a.locked(), b.acquire(False), a.release())
rlock("release by one who waited in vain", a.acquire(), b.acquire(timeout=0.05), b.release(), a.release())
rlock("a negative timeout", a.acquire(True, -2), a.locked())

semaphore("one by default", a.acquire(), b.acquire(False), a.release(), b.acquire(False))
semaphore("as a context", a.__enter__(), b.acquire(False), a.__exit__(None, None, None), b.acquire(False))
semaphore("several", New(2), a.acquire(), a.acquire(), a.acquire(False), b.acquire(False), a.release(),
          b.acquire(False), b.acquire(False))
semaphore("none", New(0), a.locked(), a.acquire(False), a.acquire().blocks("a"), b.release().unblocks("a"),
          a.locked())
semaphore("locked when all are taken", New(2), a.locked(), a.acquire(), a.locked(), a.acquire(), a.locked(),
          a.release(), a.locked())
semaphore("less than none", New(-1))
semaphore("by its name", New(value=2), a.acquire(False), a.acquire(False), a.acquire(False))
semaphore("another one waits", a.acquire(), b.acquire().blocks("b"), a.release().unblocks("b"), a.acquire(False))
semaphore("those who wait come in their order", New(0), a.acquire().blocks("a"), b.acquire().blocks("b"),
          c.release().unblocks("a"), c.release().unblocks("b"))
semaphore("with a timeout", New(0), a.acquire(timeout=0.05), a.acquire(True, 0.05), a.acquire(timeout=0),
          a.acquire(timeout=30).blocks("a"), b.release().unblocks("a"))
semaphore("a timeout without waiting", a.acquire(False, 1), a.locked())
semaphore("a negative timeout", a.acquire(timeout=-1), a.acquire(timeout=-1))
semaphore("one who waited in vain takes nothing", New(0), a.acquire(timeout=0.05), b.release(), b.acquire(False))
semaphore("release without an acquire adds one", a.release(), a.acquire(False), a.acquire(False), a.acquire(False))
semaphore("release by another one", a.acquire(), b.release(), b.acquire(False))

bounded("acquire and release", New(2), a.acquire(), b.acquire(), b.acquire(False), a.release(), b.release())
bounded("as a context", a.__enter__(), b.acquire(False), a.__exit__(None, None, None), b.acquire(False))
bounded("release without an acquire", a.release(), a.locked(), a.acquire(False), a.acquire(False))
bounded("more releases than acquires", New(2), a.acquire(), a.release(), a.release(), a.acquire(False),
        a.acquire(False), a.acquire(False))
bounded("another one waits", a.acquire(), b.acquire().blocks("b"), a.release().unblocks("b"), b.release(),
        b.release())
bounded("with a timeout", a.acquire(), b.acquire(timeout=0.05), a.locked(), b.acquire(timeout=30).blocks("b"),
        a.release().unblocks("b"))
bounded("release by another one", a.acquire(), b.release(), a.locked())
bounded("none", New(0), a.acquire(False), a.release())
bounded("less than none", New(-1))
