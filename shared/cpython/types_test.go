package cpython_test

// makers has what stands for each of CPython's types.
var makers = map[string]maker{
	"Queue":         makeQueue,
	"JoinableQueue": makeQueue,
	"LifoQueue":     makeQueue,
	"PriorityQueue": makeQueue,
	"SimpleQueue":   makeQueue,

	"Lock":             makeLock,
	"RLock":            makeRLock,
	"Semaphore":        makeSemaphore,
	"BoundedSemaphore": makeSemaphore,
	"Event":            makeEvent,
	"Condition":        makeCondition,
	"Barrier":          makeBarrier,

	"list":      makeList,
	"dict":      makeDict,
	"set":       makeSet,
	"Namespace": makeNamespace,
	"Value":     makeValue,
	"Array":     makeArray,
}
