package auth_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/reeveq/reeve/auth"
)

// A master and a worker with the same key.
func Example() {
	key, err := auth.ParseKey([]byte("secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := auth.Keys(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := auth.NewServer(auth.ServerConfig{Keys: keys})
	if err != nil {
		fmt.Println(err)
		return
	}
	workerEnd, masterEnd := net.Pipe() // or any other connection

	done := make(chan struct{})
	go func() { // joined below
		defer close(done)
		conn, peer, err := server.Handshake(context.Background(), masterEnd)
		if err != nil {
			fmt.Println("master:", err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "hello, holder of key %q", peer.KeyID)
	}()

	client := auth.ClientConfig{Key: key}
	conn, _, err := client.Handshake(context.Background(), workerEnd, "master:5000")
	if err != nil {
		fmt.Println("worker:", err)
		return
	}
	text, err := io.ReadAll(conn)
	conn.Close()
	<-done
	fmt.Println(string(text), err)
	// Output: hello, holder of key "default" <nil>
}

// A key in a log or an error shows its id only.
func ExampleKey() {
	key, err := auth.ParseKey([]byte("secret"))
	fmt.Printf("%v %v %+v\n", key, err, struct{ Key auth.Key }{key})
	// Output: [authkey redacted] default <nil> {Key:[authkey redacted] default}
}
