package queue

import (
	"fmt"
	"strings"
	"testing"
)

// The transitions, written down once more: what is not here is refused.
var transitions = []string{
	"absent ready", "absent delayed", "absent dead", "absent leased",
	"ready leased", "ready absent", "ready dead", "ready ready", "ready delayed",
	"delayed ready", "delayed absent",
	"leased absent", "leased ready", "leased delayed", "leased dead", "leased leased",
	"dead ready", "dead absent",
}

func TestStates_EveryTransitionThatIsNotInTheTableIsRefused(t *testing.T) {
	q := &Queue{}
	may := map[string]bool{}
	for _, tr := range transitions {
		may[tr] = true
	}
	refused := 0
	for from := absent; from < states; from++ {
		for to := absent; to < states; to++ {
			name := fmt.Sprint(from, " ", to)
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = fmt.Errorf("%v", p)
					}
				}()
				x := &task{id: 1, state: from, kind: &kind{}, heap: -1}
				q.move(x, to)
				if x.state != to {
					t.Errorf("%s: it is %v", name, x.state)
				}
				return nil
			}()
			if (err == nil) != may[name] {
				t.Errorf("%s: %v", name, err)
			}
			if err != nil {
				refused++
				if !strings.Contains(err.Error(), fmt.Sprintf("from %v to %v", from, to)) {
					t.Errorf("%s: %v", name, err)
				}
			}
			delete(may, name)
		}
	}
	if len(may) > 0 {
		t.Errorf("no states: %v", may)
	}
	if want := int(states)*int(states) - len(transitions); refused != want {
		t.Errorf("%d transitions were refused, want %d", refused, want)
	}
}

func TestStates_HaveTheNamesOfTheVocabulary(t *testing.T) {
	t.Parallel()
	for s := ready; s < states; s++ {
		if s.public().String() != s.String() {
			t.Errorf("%v is called %v", s, s.public())
		}
	}
}
