package file

import "io"

// fsys is what the journal asks of a file system, and nothing else it uses: so
// a simulated one can cut the power at each step. Names are whole paths.
//
// What it counts on after a power cut: bytes written before a datasync or sync
// of their file that succeeded are there, as is the file's size; of others each
// sector is old, new or garbage, but a write harms no byte that it does not
// cover. What mkdir, open (that creates), rename and remove did may be undone,
// one by one, until syncDir of the directory succeeded; a rename happens whole
// or not at all.
type fsys interface {
	// mkdir makes dir and its parents, those that are missing, durably; and dir that
	// is there durable, where that is possible.
	mkdir(dir string) error
	// open opens a file to read and write; one that is missing is made when
	// create is set, and otherwise an error that matches fs.ErrNotExist. It
	// never truncates.
	open(name string, create bool) (file, error)
	// rename takes the place of a file that is called so.
	rename(from, to string) error
	remove(name string) error
	// list gives the names of the files in dir, without it, in any order.
	list(dir string) ([]string, error)
	// syncDir makes what was done to names in dir durable. Nothing on Windows,
	// where it is the file system's affair.
	syncDir(dir string) error
	// lock takes the directory, or returns a [*journal.LockedError] at once.
	lock(dir string) (unlock func() error, err error)
}

// file is an open file of an fsys.
type file interface {
	io.ReaderAt
	io.WriterAt
	truncate(size int64) error
	size() (int64, error)
	datasync() error // the bytes, and what is needed to read them
	sync() error     // and everything else that is known of the file
	Close() error
}
