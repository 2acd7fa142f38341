package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reeveq/reeve/bench/internal/system"
)

var (
	// echo is a method that returns its argument.
	echo = redis.NewScript(`return ARGV[1]`)
	// release deletes a lock that is still its caller's.
	release = redis.NewScript(`if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`)
)

const (
	lockName = "objects:lock"
	lockTTL  = 10 * time.Second // a lock outlives a caller that died by this
	mapName  = "objects:map"

	// retryFirst and retryMost bound the pause between two tries to take a lock,
	// which doubles: 64 callers who try every millisecond leave the server no
	// time for the one who has the lock.
	retryFirst = time.Millisecond
	retryMost  = 32 * time.Millisecond
)

// objects is what people build of Redis where others have shared objects: a
// script for a method, SET NX for a lock, a hash for a map.
type objects struct {
	db    *redis.Client
	value []byte
}

func newObjects(db *redis.Client) objects {
	return objects{db: db, value: bytes.Repeat([]byte{'v'}, 100)}
}

func (o objects) Call(ctx context.Context) error {
	text, err := echo.Run(ctx, o.db, nil, o.value).Text()
	if err == nil && text != string(o.value) {
		err = fmt.Errorf("the script returned %q", text)
	}
	return err
}

// Lock tries again after a while of chance when another has the lock.
func (o objects) Lock(ctx context.Context) error {
	token := rand.Text()
	for most := retryFirst; ; most = min(2*most, retryMost) {
		err := o.db.SetArgs(ctx, lockName, token, redis.SetArgs{Mode: "NX", TTL: lockTTL}).Err()
		if err == nil {
			break
		}
		if !errors.Is(err, redis.Nil) {
			return err
		}
		pause := time.NewTimer(mathrand.N(most))
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
	n, err := release.Run(ctx, o.db, []string{lockName}, token).Int()
	if err == nil && n != 1 {
		err = errors.New("the lock was not this caller's any more")
	}
	return err
}

func (o objects) Set(ctx context.Context, key string) error {
	return o.db.HSet(ctx, mapName, key, o.value).Err()
}

func (o objects) Get(ctx context.Context, key string) error {
	text, err := o.db.HGet(ctx, mapName, key).Result()
	if err == nil && len(text) != len(o.value) {
		err = fmt.Errorf("%s has %d bytes, not %d", key, len(text), len(o.value))
	}
	return err
}

var _ system.Objects = objects{}
