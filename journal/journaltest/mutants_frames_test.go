package journaltest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/reeveq/reeve/journal"
)

var mutants = slices.Concat(frameMutants, trimMutants, ownerMutants, crashMutants)

var frameMutants = []mutant{
	{"loses a frame", "OrderOverManyLives", false, eachFrame(func(p journal.Pos, frame []byte) []byte {
		if p == 3 {
			return nil
		}
		return frame
	})},
	{"loses the last frame", "OrderOverManyLives", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var late []byte
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				if late != nil {
					if err := c(p-1, late); err != nil {
						return err
					}
				}
				late = bytes.Clone(frame)
				return nil
			})
		}
	})},
	{"swaps two frames", "OrderOverManyLives", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var held []byte
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				switch p {
				case 2:
					held = bytes.Clone(frame)
					return nil
				case 3:
					return errors.Join(c(3, frame), c(2, held))
				}
				return c(p, frame)
			})
		}
	})},
	{"says a last number that is too low", "OrderOverManyLives", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			last, err := f.Journal.Replay(ctx, c)
			return max(last, 1) - 1, err
		}
	})},
	{"accepts a number again", "OrderWrongNumbers", false, each(func(f *faulty) {
		used := journal.Pos(0)
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if p == used {
				return nil
			}
			err := f.Journal.Append(ctx, p, frame, o)
			if err == nil {
				used = p
			}
			return err
		}
	})},
	{"accepts numbers that are too high", "OrderWrongNumbers", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if err := f.Journal.Append(ctx, p, frame, o); err == nil || !errors.Is(err, errMisuse) || p < 3 {
				return err
			}
			return nil
		}
	})},
	{"goes on after an Append that it gave up", "OrderEndedContext", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f.Journal.Append(ctx, p, frame, o)
		}
	})},
	{"cuts large frames", "FrameSizes", false, eachFrame(func(_ journal.Pos, frame []byte) []byte { return frame[:min(len(frame), 65_536)] })},
	{"cuts zeros from the end", "FrameSizes", false, eachFrame(func(_ journal.Pos, frame []byte) []byte {
		return append([]byte{}, bytes.TrimRight(frame, "\x00")...)
	})},
	{"keeps the caller's memory", "FrameMemory", false, each(func(f *faulty) {
		var kept memories
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			kept.put("", p, frame)
			return f.Journal.Append(ctx, p, frame, o)
		}
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if frame := kept.get("", p); frame != nil {
				return frame, nil
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"changes the caller's memory", "FrameMemory", false, each(func(f *faulty) {
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			err := f.Journal.Append(ctx, p, frame, o)
			clear(frame[len(frame)/2:])
			return err
		}
	})},
	{"gives all readers the same memory", "FrameMemory", false, each(func(f *faulty) {
		var cache memories
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if frame := cache.get("", p); frame != nil {
				return frame, nil
			}
			frame, err := f.Journal.Read(ctx, p)
			cache.put("", p, frame)
			return frame, err
		}
	})},
	{"gives out a frame's neighbour", "ReadAtAnyTime", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if p > 5 {
				p--
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"gives an empty frame for one that is not there", "ReadAtAnyTime", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, errMisuse) {
				err = nil
			}
			return frame, err
		}
	})},
	{"reads synced frames only", "ReadAtAnyTime", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if f.Journal.(*owned).Stats().Synced < p {
				return nil, journal.ErrTrimmed
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"cannot read beside an Append", "ReadBesideEverything", false, each(func(f *faulty) {
		var last sync.Mutex
		var shared []byte
		f.append = func(ctx context.Context, p journal.Pos, frame []byte, o journal.AppendOptions) error {
			last.Lock()
			shared = append(shared[:0], frame...)
			last.Unlock()
			return f.Journal.Append(ctx, p, frame, o)
		}
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			last.Lock()
			defer last.Unlock()
			copy(frame, shared) // a buffer that both use
			return frame, err
		}
	})},
}

var trimMutants = []mutant{
	{"gives readers nothing when it is closed", "ReadBesideClose", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, journal.ErrClosed) {
				err = nil
			}
			return frame, err
		}
	})},
	{"trims one frame too many", "TrimSome", false, each(func(f *faulty) {
		f.trim = func(ctx context.Context, p journal.Pos) error {
			return f.Journal.Trim(ctx, min(p+1, f.Journal.(*owned).Stats().Last+1))
		}
	})},
	{"gives empty frames for those that were trimmed", "TrimSome", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			frame, err := f.Journal.Read(ctx, p)
			if errors.Is(err, journal.ErrTrimmed) {
				err = nil
			}
			return frame, err
		}
	})},
	{"calls other frames trimmed", "TrimSome", false, each(func(f *faulty) {
		f.read = func(ctx context.Context, p journal.Pos) ([]byte, error) {
			if p < 3 && f.Journal.(*owned).Stats().Last > 30 {
				return nil, errors.New("no such frame")
			}
			return f.Journal.Read(ctx, p)
		}
	})},
	{"forgets the last number when all is trimmed", "TrimAll", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			var seen journal.Pos
			_, err := f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				seen = p
				return c(p, frame)
			})
			return seen, err
		}
	})},
	{"does not tell its callee's error", "ReplayEndsWithItsCallee", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			return f.Journal.Replay(ctx, func(p journal.Pos, frame []byte) error {
				_ = c(p, frame) // the fault
				return nil
			})
		}
	})},
	{"does not look at its context", "ReplayEndsWithItsContext", false, each(func(f *faulty) {
		f.replay = func(ctx context.Context, c callee) (journal.Pos, error) {
			return f.Journal.Replay(context.WithoutCancel(ctx), c)
		}
	})},
}
