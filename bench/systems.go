package main

import (
	"slices"

	"github.com/reeveq/reeve/bench/internal/asynq"
	"github.com/reeveq/reeve/bench/internal/beanstalk"
	"github.com/reeveq/reeve/bench/internal/limit"
	"github.com/reeveq/reeve/bench/internal/managers"
	"github.com/reeveq/reeve/bench/internal/nats"
	"github.com/reeveq/reeve/bench/internal/netrpc"
	"github.com/reeveq/reeve/bench/internal/nsq"
	"github.com/reeveq/reeve/bench/internal/rabbitmq"
	"github.com/reeveq/reeve/bench/internal/redis"
	"github.com/reeveq/reeve/bench/internal/reeve"
	"github.com/reeveq/reeve/bench/internal/system"
)

// systems are all that can be measured, in the order of the tables.
func systems() []system.System {
	return slices.Concat(
		reeve.Systems(),
		limit.Systems(),
		nats.Systems(),
		nsq.Systems(),
		redis.Systems(),
		asynq.Systems(),
		beanstalk.Systems(),
		rabbitmq.Systems(),
		netrpc.Systems(),
		managers.Systems(),
	)
}
