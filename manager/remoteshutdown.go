package manager

import (
	"context"
	"fmt"
	"sync"

	"github.com/reeveq/reeve"
)

// shutdowns is that a client has shut the master down.
type shutdowns struct {
	begun  bool           // guarded by Master.mu
	ending sync.WaitGroup // for the Shutdown that it began
}

// askShutdown is a client's wish that the master ends: after the leases that
// stand, for which it waits as long as Config.ShutdownGrace says, if drain, else
// at once. It is [reeve.ErrPermission] unless Config.AllowShutdown lets it; by is
// the client, for the log. begin begins it and does not wait: it is to be called
// once the client has its answer. That it was asked for before is no error.
func (m *Master) askShutdown(by string, drain bool) (begin func(), err error) {
	if !m.cfg.AllowShutdown {
		m.cfg.Logger.Warn("a client may not shut this master down", "client", by)
		return nil, fmt.Errorf("%w: this master does not let clients shut it down", reeve.ErrPermission)
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.asked.begun || m.ctx.Err() != nil {
			return
		}
		m.asked.begun = true
		m.cfg.Logger.Info("a client shuts the master down", "client", by, "drain", drain)
		m.asked.ending.Go(func() { m.endAsAsked(drain) }) // waited for by Join; ends soon after the grace
	}, nil
}

func (m *Master) endAsAsked(drain bool) {
	ctx, cancel := context.WithTimeout(context.Background(), m.cfg.ShutdownGrace)
	defer cancel()
	if !drain {
		cancel()
	}
	if err := m.Shutdown(ctx); err != nil && drain {
		m.cfg.Logger.Warn("ended while leases still stood", "err", err)
	}
}
