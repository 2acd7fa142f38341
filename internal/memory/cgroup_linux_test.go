package memory

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCgroups_EveryLimitAboveTheProcessCounts(t *testing.T) {
	t.Parallel()
	const none1 = "9223372036854771712\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []uint64
	}{
		"version 2": {map[string]string{
			cgroupList: "0::/a.slice/b.service\n",
			cgroup2 + "/a.slice/b.service/memory.max": "300\n",
			cgroup2 + "/a.slice/memory.max":           "200\n",
			cgroup2 + "/memory.max":                   "max\n",
			cgroup2 + "/c.slice/memory.max":           "1\n",
		}, []uint64{300, 200}},
		"a container that is the root": {map[string]string{
			cgroupList: "0::/\n", cgroup2 + "/memory.max": "5000\n",
		}, []uint64{5000}},
		"a container that sees its path outside": {map[string]string{
			cgroupList: "0::/docker/0123\n", cgroup2 + "/memory.max": "5000\n",
		}, []uint64{5000}},
		"above what it may see": {map[string]string{
			cgroupList: "0::/../../x\n", cgroup2 + "/memory.max": "5000\n",
		}, []uint64{5000}},
		"version 1": {map[string]string{
			cgroupList: "12:pids:/u\n5:cpu,memory:/docker/0123\n1:name=systemd:/u\n",
			cgroup1 + "/docker/0123/memory.limit_in_bytes": "700\n",
			cgroup1 + "/memory.limit_in_bytes":             none1,
			cgroup1 + "/u/memory.limit_in_bytes":           "1\n",
		}, []uint64{700, 9223372036854771712}},
		"both, the memory in version 1": {map[string]string{
			cgroupList: "5:memory:/x\n0::/y\n", cgroup1 + "/x/memory.limit_in_bytes": "700\n", cgroup2 + "/y/cgroup.procs": "1\n",
		}, []uint64{700}},
		"a path with a colon":  {map[string]string{cgroupList: "0::/a:b\n", cgroup2 + "/a:b/memory.max": "9"}, []uint64{9}},
		"no limit":             {map[string]string{cgroupList: "0::/a\n", cgroup2 + "/a/memory.max": "max\n"}, nil},
		"what is no number":    {map[string]string{cgroupList: "0::/a\n", cgroup2 + "/a/memory.max": "-1\n", cgroup2 + "/memory.max": ""}, nil},
		"a list without sense": {map[string]string{cgroupList: "\nx\n0:\n::\n:::::\n"}, nil},
		"no cgroups":           {nil, nil},
	} {
		files := fstest.MapFS{}
		for file, text := range c.files {
			files[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cgroups(files); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func FuzzCgroups(f *testing.F) {
	f.Add("0::/a.slice/b.service\n", "max\n")
	f.Add("5:cpu,memory:/docker/0123\n", "700\n")
	f.Fuzz(func(t *testing.T, list, limit string) {
		limits := cgroups(fstest.MapFS{
			cgroupList: {Data: []byte(list)}, cgroup2 + "/memory.max": {Data: []byte(limit)}, cgroup1 + "/memory.limit_in_bytes": {Data: []byte(limit)},
		})
		if lines := strings.Count(list, "\n") + 1; len(limits) > lines {
			t.Fatalf("%d limits of %d lines", len(limits), lines)
		}
	})
}
