package proxy

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/codec"
)

// service is the object of the master itself.
var service = reeve.Ref{Name: "$master"}

// ShutdownMaster ends the master that this client is connected to: if drain,
// after the leases that stand, for which the master waits as long as it was
// configured to, else at once. It returns when the master has agreed, which takes
// nothing new from then on; this client goes on trying to connect, for a master
// may be started again.
//
// [reeve.ErrPermission] says that the master does not let clients do this
// (manager.Config.AllowShutdown, -allow-shutdown); [reeve.ErrOutcomeUnknown] that
// the connection was lost, and that the master was started again meanwhile, by
// this or not.
func (c *Client) ShutdownMaster(ctx context.Context, drain bool) error {
	_, err := c.callService(ctx, "shutdown", false, drain)
	return err
}

// callService calls a method of the master itself.
func (c *Client) callService(ctx context.Context, method string, reads bool, args ...any) (reeve.ObjectAnswer, error) {
	b, err := codec.CBOR.Marshal(args)
	if err != nil {
		return reeve.ObjectAnswer{}, fmt.Errorf("%w: arguments of %s: %w", reeve.ErrUnserializable, method, err)
	}
	return c.CallObject(ctx, &reeve.ObjectCall{Ref: service, Method: method, Args: b, Reads: reads})
}
