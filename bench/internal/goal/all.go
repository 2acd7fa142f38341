package goal

// What the goals are about: the metrics that package workload measures.
const (
	putToGet  = "put to get, median"
	tasks     = "tasks per second"
	serverCPU = "server CPU per task"
	perQueued = "memory per queued task, beside its payload"
	perIdle   = "server memory each"
)

// unacknowledged are the peers whose fastest use confirms tasks in batches, or
// not at all: one that dies takes more with it than what it was at.
var unacknowledged = []string{"redis-lists-script", "rabbitmq", "net-rpc", "net-rpc-chunked", "managers", "managers-chunked"}

// all are the goals, on two cores, with TLS and everything acknowledged.
func all() []goal {
	list := []goal{
		{workload: "rtt", says: "faster than every peer",
			figure: ours("rtt", putToGet), bound: best("rtt", putToGet)},
		{workload: "rtt", says: "1.5 × floor-yamux-cbor-tls",
			figure: ours("rtt", putToGet), bound: times(1.5, of("floor-yamux-cbor-tls", "rtt", putToGet))},
	}
	pipeline := func(says string, bound figure, apart bool) {
		list = append(list, goal{workload: "pipeline-4", says: says, figure: ours("pipeline-4", tasks), bound: bound, apart: apart})
	}
	peer := func(factor float64, name string) figure { return times(factor, of(name, "pipeline-4", tasks)) }
	pipeline("0.8 × floor-yamux-cbor-tls", peer(0.8, "floor-yamux-cbor-tls"), false)
	pipeline("0.8 × floor-yamux-cbor, which has no TLS", peer(0.8, "floor-yamux-cbor"), true)
	pipeline("0.8 × 370,000/s", exactly(0.8*370_000, "/s"), false)
	pipeline("1.3 × the fastest peer that acknowledges each task", times(1.3, best("pipeline-4", tasks, unacknowledged...)), false)
	pipeline("1.3 × redis-lists, which acknowledges each task", peer(1.3, "redis-lists"), false)
	pipeline("1.3 × redis-lists-script, which acknowledges a batch", peer(1.3, "redis-lists-script"), true)
	pipeline("30 × managers", peer(30, "managers"), false)

	list = append(list,
		goal{workload: "pipeline-4", says: "2.5 µs of the server's CPU per task",
			figure: ours("pipeline-4", serverCPU), bound: exactly(2.5, "µs")},
		goal{workload: "payload", says: "0.8 × half of raw-yamux-coalesced-tls in limits-bulk: each byte crosses twice",
			figure: ours("payload", "payload"), bound: times(0.8/2, of("raw-yamux-coalesced-tls", "limits-bulk", "bytes"))},
		goal{workload: "backlog", says: "1,000,000 put/s",
			figure: ours("backlog", "put"), bound: exactly(1_000_000, "/s")},
		goal{workload: "backlog", says: "300,000 drained/s",
			figure: ours("backlog", "drained"), bound: exactly(300_000, "/s")},
		goal{workload: "backlog", says: "250 bytes per queued task, beside its payload",
			figure: ours("backlog", perQueued), bound: exactly(250, "B")},
	)
	for _, idle := range []string{"idle-1000", "idle-5000"} {
		list = append(list, goal{workload: idle, says: "30 KiB per parked consumer",
			figure: ours(idle, perIdle), bound: exactly(30<<10, "B")})
	}
	list = append(list, goal{workload: "idle-5000", says: "put to get within 2 × rtt",
		figure: ours("idle-5000", putToGet), bound: times(2, ours("rtt", putToGet))})

	durable := func(factor float64, name, says string, apart bool) {
		list = append(list, goal{workload: "durable", says: says, apart: apart,
			figure: ours("durable", tasks), bound: times(factor, of(name, "durable", tasks))})
	}
	durable(1.2, "redis-lists", "1.2 × redis-lists", false)
	durable(1.2, "redis-lists-script", "1.2 × redis-lists-script, which acknowledges a batch", true)
	durable(25, "nats-jetstream", "25 × nats-jetstream", false)
	durable(25, "nats-jetstream-batch", "25 × nats-jetstream-batch, which syncs once a batch", true)

	const on64, on1 = "one by one per second, 1 on each of 64", "one by one per second, 64 goroutines on 1 connection"
	return append(list,
		goal{workload: "scaling", says: "64 goroutines on one connection: 0.8 × 64 connections",
			figure: ours("scaling", on1), bound: times(0.8, ours("scaling", on64))},
		goal{workload: "scaling", says: "16 queues: as fast as one",
			figure: ours("scaling", "in batches per second, 16 queues"), bound: ours("scaling", "in batches per second, 1 queue")},
		goal{workload: "scaling", says: "CPU per task flat from 10 to 1,000,000 queued: the most 1.5 × the least",
			figure: growth("scaling", "server CPU per task, 10 queued", "server CPU per task, 1,000 queued",
				"server CPU per task, 100,000 queued", "server CPU per task, 1,000,000 queued"),
			bound: exactly(1.5, "×")},
	)
}
