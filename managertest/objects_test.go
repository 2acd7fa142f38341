package managertest_test

import (
	"errors"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/managertest"
	"github.com/reeveq/reeve/shared"
)

func TestObjects_AreReachedAlikeFromBothSides(t *testing.T) {
	managertest.Run(t, func(t *testing.T, m *managertest.Master) {
		for _, o := range []reeve.Objects{m.Dial(t), m.Manager()} {
			_, err := shared.ObjectOf(o, "scores").Methods(t.Context())
			if !errors.Is(err, reeve.ErrNoSuchName) {
				t.Errorf("%T: the methods of what is not there: %v", o, err)
			}
			methods, err := shared.ObjectOf(o, "$master").Methods(t.Context())
			if err != nil || len(methods) == 0 {
				t.Errorf("%T: %v, %v", o, methods, err)
			}
		}
	})
}
