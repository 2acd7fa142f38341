package manager_test

import (
	"context"
	"fmt"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/auth"
	"github.com/reeveq/reeve/manager"
	"github.com/reeveq/reeve/proxy"
)

// A master in the background, which a client ends.
func ExampleMaster_Start() {
	ctx := context.Background()
	key, err := auth.ParseKey([]byte("a long passphrase"))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := manager.New(manager.Config{
		AuthKey: key, AllowShutdown: true,
		OnStart: func(_ context.Context, m *manager.Master) error {
			_, err := m.Queue("tasks", reeve.QueueConfig{})
			return err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	if err := m.Start(ctx, "127.0.0.1:0"); err != nil { // or "unix:/path"
		fmt.Println(err)
		return
	}

	c, err := proxy.Dial(ctx, m.Addr().String(), proxy.Config{AuthKey: key, Require: []string{"tasks"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(c.ShutdownMaster(ctx, true))
	fmt.Println(m.Join(ctx))
	// Output:
	// <nil>
	// <nil>
}
