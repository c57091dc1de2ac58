package salesiqbolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// The buckets of a file, and what is in them.
var (
	formatBucket  = []byte("salesiqbolt") // format: the version of what follows. next: see progress.
	tokenBucket   = []byte("token")       // token: sealed bytes.
	handledBucket = []byte("handled")     // number: a record of handled events, the oldest first.
	inboxBucket   = []byte("inbox")       // number: an entry that waits or is handled.
	dueBucket     = []byte("due")         // time and number of an entry that waits for another try: 1 for a suspect.
	deadBucket    = []byte("dead")        // number: an entry that has had its tries.
)

var allBuckets = [][]byte{formatBucket, tokenBucket, handledBucket, inboxBucket, dueBucket, deadBucket}

var (
	formatKey = []byte("format")
	format    = []byte("1")
	nextKey   = []byte("next")
)

// opening is an attempt to open a file.
type opening struct {
	config

	path  string
	found fs.FileInfo // What was at the path before.
	file  *os.File    // What bbolt has opened last.
}

// openFile opens the file at a path, and makes it if there is none.
func openFile(path string, c config) (*bbolt.DB, *opening, error) {
	o := &opening{path: path, config: c}
	found, err := look(path)
	if err == nil && found == nil {
		if err = o.explain(makeFile(path)); err == nil {
			found, err = os.Lstat(path)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	o.found = found
	if err := o.examine(); err != nil {
		return nil, nil, err
	}
	db, err := o.openBolt(false)
	if err != nil {
		return nil, nil, o.explain(err)
	}
	return db, o, nil
}

// look finds out what is at a path, before anything there is opened. It returns no
// info where there is nothing.
func look(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, lookForDirectory(filepath.Dir(path))
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, ErrNotRegular
	case info.Size() == 0:
		return nil, errEmptyFile
	case info.Size() < smallestFile:
		return nil, ErrForeign
	}
	return info, nil
}

// smallestFile is the size of a file with nothing in it, which has four pages.
const smallestFile = 4 * 4096

// errEmptyFile is for a file that another program has made: this package makes
// files with content.
var errEmptyFile = fmt.Errorf("is empty, and so %w", ErrForeign)

func lookForDirectory(directory string) error {
	info, err := os.Stat(directory)
	if err == nil && !info.IsDir() {
		err = errNoDirectory
	}
	if err != nil {
		return fmt.Errorf("cannot be made in %s: %w", directory, withoutPath(err))
	}
	return nil
}

var errNoDirectory = errors.New("that is no directory")

// makeFile makes a file. It is prepared under another name, so that there is a
// whole one, or none, whenever a program or the machine stops.
func makeFile(path string) error {
	directory := filepath.Dir(path)
	file, err := os.CreateTemp(directory, "."+filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // The system cleans up what is left.
	if err := file.Close(); err != nil {
		return err
	}
	err = guard(func() error { return initialize(file.Name()) })
	if err == nil {
		err = giveName(file.Name(), path)
	}
	syncDirectory(directory)
	return err
}

// pageSize is how large the pages of a new file are, in bytes. A commit of many events
// writes four times fewer of them than of the usual size, and one of a single event hardly
// takes longer.
const pageSize = 16 << 10

// initialize makes the buckets.
func initialize(path string) (err error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(formatBucket).Put(formatKey, format)
	})
}

// giveName gives a file its name, unless somebody else was faster. Not every file
// system has links.
func giveName(file, path string) error {
	os.Link(file, path) //nolint:errcheck // What is there then tells.
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	return os.Rename(file, path)
}

// syncDirectory makes a new file's name durable, where the system can do that.
func syncDirectory(path string) {
	if directory, err := os.Open(path); err == nil {
		directory.Sync()  //nolint:errcheck // Not every file system can.
		directory.Close() //nolint:errcheck // Nothing was written.
	}
}

// examine reads a file without a change to it, and refuses what is somebody
// else's.
func (o *opening) examine() error {
	db, err := o.openBolt(true)
	if err == nil {
		if err = guard(func() error { return db.View(o.checkContent) }); !errors.Is(err, ErrDamaged) {
			err = errors.Join(err, o.closeReader(db))
		} else {
			err = errors.Join(err, letGo(o.file))
		}
	}
	return o.explain(err)
}

// closeReader closes a file that was read. bbolt leaves its lock to the system.
func (o *opening) closeReader(db *bbolt.DB) error {
	return errors.Join(unlock(o.file), db.Close())
}

// letGo closes a file that bbolt cannot close any more.
func letGo(file *os.File) error { return errors.Join(unlock(file), file.Close()) }

func (o *opening) checkContent(tx *bbolt.Tx) error {
	bucket := tx.Bucket(formatBucket)
	if bucket == nil {
		return ErrForeign
	}
	if found := string(bucket.Get(formatKey)); found != string(format) {
		return fmt.Errorf("has format %q, which is of another version: %w", found, ErrForeign)
	}
	for _, name := range allBuckets {
		if tx.Bucket(name) == nil {
			return ErrDamaged
		}
	}
	if info, err := o.file.Stat(); err != nil || info.Size() < tx.Size() {
		return errors.Join(ErrDamaged, err)
	}
	return nil
}

func (o *opening) openBolt(readOnly bool) (db *bbolt.DB, err error) {
	options := &bbolt.Options{
		Timeout:      max(o.wait, time.Nanosecond), // Zero would wait for ever.
		ReadOnly:     readOnly,
		NoSync:       o.sync == SyncNever,
		FreelistType: bbolt.FreelistMapType,
		OpenFile:     o.openFile,
	}
	o.file = nil
	err = guard(func() (err error) {
		db, err = bbolt.Open(o.path, 0o600, options)
		return err
	})
	if errors.Is(err, ErrDamaged) && o.file != nil {
		err = errors.Join(err, letGo(o.file))
	}
	return db, err
}

// openFile opens the file that was found, and no other.
func (o *opening) openFile(path string, flags int, mode os.FileMode) (file *os.File, err error) {
	file, err = os.OpenFile(path, flags&^os.O_CREATE, mode)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, o.found) {
		err = ErrGone
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	o.file = file
	return file, nil
}

// explain says what an error of bbolt means.
func (o *opening) explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return &InUseError{Holder: readHolder(o.path)}
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch):
		return ErrForeign
	case errors.Is(err, berrors.ErrChecksum):
		return ErrDamaged
	case isFull(err):
		return fmt.Errorf("%w: %w", ErrFull, withoutPath(err))
	}
	return err
}

// guard calls f, which reads the mapped file. Where the file was cut, or holds
// nonsense, that is an error: bbolt panics, or the processor does.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (%v)", ErrDamaged, p)
		}
	}()
	return f()
}
