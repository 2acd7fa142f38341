package wire

// Backup begins a backup of the master's journal, or asks for more of one. The
// answer is [Answer] with Backup.
type Backup struct {
	Req uint64 `cbor:"1,keyasint"`
	Low uint64 `cbor:"2,keyasint,omitempty"`
	Pin uint64 `cbor:"3,keyasint,omitempty"` // which; 0: it is to begin
	// From and Offset are where in which frame to go on.
	From   uint64 `cbor:"4,keyasint,omitempty"`
	Offset uint64 `cbor:"5,keyasint,omitempty"`
	// Over gives the backup up; the answer has no frames then.
	Over bool `cbor:"6,keyasint,omitempty"`
}

// BackupPage is a part of a backup.
type BackupPage struct {
	Pin    uint64        `cbor:"1,keyasint,omitempty"`
	First  uint64        `cbor:"2,keyasint,omitempty"` // of the frames; Last+1: there are none
	Last   uint64        `cbor:"3,keyasint,omitempty"`
	Frames []BackupFrame `cbor:"4,keyasint,omitempty"`
}

// BackupFrame is a frame of a journal, or a part of one that is long.
type BackupFrame struct {
	Pos    uint64 `cbor:"1,keyasint,omitempty"`
	Size   uint64 `cbor:"2,keyasint,omitempty"` // of the whole frame
	Offset uint64 `cbor:"3,keyasint,omitempty"` // of the part in it
	Data   []byte `cbor:"4,keyasint,omitempty"`
}

func (Backup) wireType() Type { return TypeBackup }

func (m *Backup) check() string { return checkRequest(m.Req, m.Low) }
