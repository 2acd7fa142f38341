package proxy_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/reeveq/reeve"
	"github.com/reeveq/reeve/internal/wire"
	"github.com/reeveq/reeve/journal/backup"
	"github.com/reeveq/reeve/proxy"
)

// answerBackup answers the next request for a part of a backup.
func (s *fakeSession) answerBackup(page *wire.BackupPage) wire.Backup {
	s.f.t.Helper()
	r := s.next(wire.TypeBackup)
	s.message(&wire.Answer{Req: r.req, Backup: page})
	return *r.msg.(*wire.Backup)
}

func TestBackup_PutsThePartsTogether(t *testing.T) {
	withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
		var b bytes.Buffer
		done := async(func() (reeve.BackupInfo, error) { return c.Backup(t.Context(), &b) })
		page := func(frames ...wire.BackupFrame) *wire.BackupPage {
			return &wire.BackupPage{Pin: 7, First: 17, Last: 19, Frames: frames}
		}
		first := s.answerBackup(page(
			wire.BackupFrame{Pos: 17, Size: 3, Data: []byte("one")},
			wire.BackupFrame{Pos: 18, Size: 6, Data: []byte("tw")}))
		second := s.answerBackup(page(wire.BackupFrame{Pos: 18, Size: 6, Offset: 2, Data: []byte("otw")}))
		third := s.answerBackup(page(
			wire.BackupFrame{Pos: 18, Size: 6, Offset: 5, Data: []byte("o")},
			wire.BackupFrame{Pos: 19, Size: 5, Data: []byte("three")}))
		info, err := await(t, "Backup", done)
		if err != nil || info != (reeve.BackupInfo{Frames: 3, Bytes: int64(b.Len())}) {
			t.Errorf("%+v of %d bytes, %v", info, b.Len(), err)
		}
		if first.Pin != 0 || second.Pin != 7 || second.From != 18 || second.Offset != 2 || third.From != 18 || third.Offset != 5 {
			t.Errorf("asked %+v, %+v, %+v", first, second, third)
		}
		r, err := backup.NewReader(&b, "backup")
		for _, want := range []string{"one", "twotwo", "three"} {
			var frame []byte
			if err == nil {
				_, frame, err = r.Next()
			}
			if err != nil || string(frame) != want {
				t.Fatalf("%q, %v, want %q", frame, err, want)
			}
		}
		if _, _, err := r.Next(); err != io.EOF {
			t.Error(err)
		}
	})
}

// What a master gets wrong is an error, and it is told that the backup is over.
func TestBackup_OfAMasterThatSendsSomethingElseIsAnError(t *testing.T) {
	one := wire.BackupFrame{Pos: 17, Size: 3, Data: []byte("one")}
	for name, pages := range map[string][]*wire.BackupPage{
		"nothing":             {nil},
		"no pin":              {{First: 17, Last: 17, Frames: []wire.BackupFrame{one}}},
		"another pin":         {{Pin: 7, First: 17, Last: 18, Frames: []wire.BackupFrame{one}}, {Pin: 8, First: 17, Last: 18}},
		"no frames":           {{Pin: 7, First: 17, Last: 18, Frames: []wire.BackupFrame{one}}, {Pin: 7, First: 17, Last: 18}},
		"frames of nothing":   {{Pin: 7, First: 0, Last: 9}},
		"a gap":               {{Pin: 7, First: 16, Last: 17, Frames: []wire.BackupFrame{one}}},
		"a frame too many":    {{Pin: 7, First: 18, Last: 17, Frames: []wire.BackupFrame{one}}},
		"a part in between":   {{Pin: 7, First: 17, Last: 17, Frames: []wire.BackupFrame{{Pos: 17, Size: 4, Offset: 1, Data: []byte("ne")}}}},
		"a part of nothing":   {{Pin: 7, First: 17, Last: 17, Frames: []wire.BackupFrame{{Pos: 17, Size: 4}}}},
		"more than the frame": {{Pin: 7, First: 17, Last: 17, Frames: []wire.BackupFrame{{Pos: 17, Size: 2, Data: []byte("one")}}}},
		"too long a frame":    {{Pin: 7, First: 17, Last: 17, Frames: []wire.BackupFrame{{Pos: 17, Size: 1 << 40, Data: []byte("one")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			withFake(t, func(t *testing.T, m *fake, c *proxy.Client, s *fakeSession) {
				var b bytes.Buffer
				done := async(func() (reeve.BackupInfo, error) { return c.Backup(t.Context(), &b) })
				for _, page := range pages {
					s.answerBackup(page)
				}
				if info, err := await(t, "Backup", done); err == nil || info != (reeve.BackupInfo{}) {
					t.Errorf("%+v, %v", info, err)
				} else if name != "frames of nothing" && !errors.Is(err, reeve.ErrProtocol) {
					t.Error(err)
				}
				if name != "nothing" && name != "no pin" {
					if over := s.answerBackup(&wire.BackupPage{Pin: 7}); !over.Over || over.Pin != 7 {
						t.Errorf("%+v", over)
					}
				}
				if r, err := backup.NewReader(&b, "backup"); err == nil {
					for err == nil {
						_, _, err = r.Next()
					}
					if !errors.Is(err, backup.ErrIncomplete) {
						t.Errorf("what was written is read as %v", err)
					}
				}
			})
		})
	}
}
