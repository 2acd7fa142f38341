package journaltest

// crashOfTheProcess: what Append has returned for is there, synced or not.
func crashOfTheProcess(t *trial) {
	b := t.book("crash")
	for i := range 12 {
		b.appendSome(i*i%17, 3000)
		if i%3 == 0 {
			b.sync()
		}
		b.appendSome(i%4, 50)
		switch i % 5 {
		case 3:
			b.trim(1 + b.last()/2)
		case 4:
			b.trim(b.last() + 1)
		}
		b.kill()
		b.reopen()
		b.readAll()
	}
}

// crashOfThePower: what was synced is there; of what was not, frames are lost
// from the end only, and never half of one. The lost ones' numbers are used
// again, by frames that are not mixed up with them.
func crashOfThePower(t *trial) {
	b := t.book("crash-power")
	for i := range 25 {
		b.appendSome(b.rand.IntN(6), 6000)
		if i%4 != 3 {
			b.sync()
		}
		b.appendSome(b.rand.IntN(5), 6000)
		b.powerCut()
		b.readAll()
		if i%5 == 0 {
			b.powerCut() // with nothing done since
		}
	}
	b.appendAll(b.bytes(t.MaxFrame), b.bytes(1))
	b.sync()
	b.appendAll(b.bytes(1), b.bytes(t.MaxFrame))
	b.powerCut()
	b.readAll()
}

// crashAfterClose: Close makes everything durable.
func crashAfterClose(t *trial) {
	b := t.book("crash-close")
	for i := range 5 {
		b.appendSome(5*i, 3000)
		b.close()
		b.powerCut()
		b.readAll()
	}
}

// crashAfterTrim: a Trim loses nothing that it was not asked to: not the last
// number, and not the frames that use the numbers of lost ones.
func crashAfterTrim(t *trial) {
	b := t.book("crash-trim")
	for i := range 12 {
		b.appendSome(10, 2000)
		if i%3 != 2 {
			b.sync()
		}
		if i%3 == 1 {
			b.appendSome(5, 2000)
		}
		b.trim(b.last() + 1)
		b.powerCut()
		b.appendSome(2, 2000)
		b.sync()
		b.powerCut()
		b.readAll()
		b.close()
		b.reopen()
		b.readAll()
	}
}
