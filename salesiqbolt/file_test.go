package salesiqbolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/salesiq-go/salesiq/webhook"
)

// skipOnWindows skips a test of what Windows does otherwise.
func skipOnWindows(t *testing.T, why string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip(why)
	}
}

// refuses opens a file that is no good, and returns what is said about it.
func refuses(t *testing.T, path string) error {
	t.Helper()
	f, err := Open(path, WithOpenWait(0))
	assert.Nil(t, f)
	failure, ok := errors.AsType[*FileError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, path, failure.Path)
	assert.Contains(t, err.Error(), path)
	return err
}

// assertUntouched checks that a file is as it was.
func assertUntouched(t *testing.T, path string, content []byte, modified time.Time) {
	t.Helper()
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, content, left)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.True(t, modified.Equal(info.ModTime()), "it was written")
}

func TestFileOfSomebodyElseIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("name,age\nanna,7\n", 10_000)
	for name, content := range map[string]string{
		"text": "# To do\n1 buy milk\n", "empty": "", "byte": "x", "JSON": `{"key":1}`, "big": big,
		"zeros": strings.Repeat("\x00", 1<<16), "page": big[:4096], "two pages": big[:8192],
		"SQLite": "SQLite format 3\x00" + big,
	} {
		path := newPath(t)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		before := time.Now().Add(-time.Hour)
		require.NoError(t, os.Chtimes(path, before, before))
		err := refuses(t, path)
		require.ErrorIs(t, err, ErrForeign, name)
		assert.Equal(t, name == "empty", strings.Contains(err.Error(), "is empty"), name)
		assertUntouched(t, path, []byte(content), before)
	}
}

// Another program's database is a database, too.
func TestDatabaseOfSomebodyElseIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for _, options := range []*bbolt.Options{nil, {NoFreelistSync: true}, {PageSize: 1 << 14}} {
		path := newPath(t)
		db, err := bbolt.Open(path, 0o600, options)
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucket([]byte("theirs"))
			return errors.Join(err, bucket.Put([]byte("a"), []byte("b")))
		}))
		require.NoError(t, db.Close())
		before := time.Now().Add(-time.Hour)
		require.NoError(t, os.Chtimes(path, before, before))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.ErrorIs(t, refuses(t, path), ErrForeign)
		assertUntouched(t, path, content, before)
	}
}

func TestFileOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	doChange(t, f, func(c *change) error { return c.bucket(formatBucket).Put(formatKey, []byte("2")) })
	require.NoError(t, f.Close())
	err := refuses(t, path)
	require.ErrorIs(t, err, ErrForeign)
	assert.ErrorContains(t, err, `format "2"`)
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	require.ErrorIs(t, refuses(t, directory), ErrNotRegular)

	missing := filepath.Join(directory, "missing", "events.db")
	err := refuses(t, missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "cannot be made in "+filepath.Dir(missing))

	inFile := filepath.Join(directory, "file")
	require.NoError(t, os.WriteFile(inFile, []byte("text"), 0o600))
	require.Error(t, refuses(t, filepath.Join(inFile, "events.db")))

	if runtime.GOOS == "windows" {
		return // Links and devices are other things there.
	}
	require.ErrorIs(t, refuses(t, os.DevNull), ErrNotRegular)
	for name, target := range map[string]string{"to a device": os.DevNull, "to a file": inFile, "to nothing": missing, "to its directory": directory} {
		link := filepath.Join(directory, name)
		require.NoError(t, os.Symlink(target, link))
		require.ErrorIs(t, refuses(t, link), ErrNotRegular)
		left, err := os.Readlink(link)
		require.NoError(t, err, "the link is still there")
		assert.Equal(t, target, left)
	}
	assertUntouched(t, inFile, []byte("text"), modified(t, inFile))
	entries, err := os.ReadDir(directory)
	require.NoError(t, err)
	assert.Len(t, entries, 5, "nothing was left behind")
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.ModTime()
}

// A file that was cut, or in which bytes were changed, may be read as far as that
// goes. It never ends the program.
func TestDamagedFileIsAnErrorAndNoCrash(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 300)
	require.NoError(t, f.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	used := f.size.Load()
	tried, damaged := 0, 0
	damage := func(content []byte) {
		t.Helper()
		tried++
		require.NoError(t, os.WriteFile(path, content, 0o600))
		f, err := Open(path, WithSync(SyncNever), WithOpenWait(0))
		if err == nil {
			inbox := inboxOf(t, f, WithMaxTries(1))
			for _, err = range inbox.Entries(t.Context()) {
				if err != nil {
					break
				}
			}
			for n := 300; err == nil && n < 320; n++ {
				err = inbox.Enqueue(t.Context(), newEvent(t, n))
			}
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			damaged++
			_, ok := errors.AsType[*FileError](err)
			assert.True(t, ok, "%v", err)
			_, held := errors.AsType[*InUseError](err)
			assert.False(t, held, "the one before has kept it")
		}
	}
	for size := int64(0); size < used; size += 4096 {
		damage(whole[:size])
	}
	assert.Equal(t, tried, damaged, "each cut is noticed")
	for at := 0; at < len(whole); at += 1000 {
		content := append([]byte(nil), whole...)
		copy(content[at:], strings.Repeat("\xff", 64))
		damage(content)
	}
	t.Logf("%d of %d damages were noticed", damaged, tried)
}

func TestSecondOpenerIsToldWhoHasTheFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	enqueue(t, inboxOf(t, f), 0, 1)
	_, err := Open(path, WithOpenWait(0))
	inUse, ok := errors.AsType[*InUseError](err)
	require.True(t, ok, "%v", err)
	host, err := os.Hostname()
	require.NoError(t, err)
	assert.Equal(t, os.Getpid(), inUse.Holder.PID)
	assert.Equal(t, host, inUse.Holder.Host)
	assert.Equal(t, filepath.Base(os.Args[0]), inUse.Holder.Program)
	assert.WithinDuration(t, time.Now(), inUse.Holder.Since, time.Minute)
	enqueue(t, inboxOf(t, f), 1, 2)
	require.NoError(t, f.Close())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no note is left")
	openAt(t, path)
}

func TestOpenWaitsForWhoIsAboutToClose(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	time.AfterFunc(200*time.Millisecond, func() { assert.NoError(t, f.Close()) })
	openAt(t, path, WithOpenWait(patience))
}

// The tool of bbolt does the same.
func TestFileThatBboltHasCompactedIsTheSame(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	inbox := inboxOf(t, f, WithMaxTries(1))
	enqueue(t, inbox, 0, 2000)
	var p tape
	stop := run(t, inbox, p.handle)
	eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "they are handled")
	stop()
	bury(t, inbox, 2000, 2003)
	enqueue(t, inbox, 3000, 3010)
	require.NoError(t, f.Close())
	before, err := os.Stat(path)
	require.NoError(t, err)

	from, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	require.NoError(t, err)
	to, err := bbolt.Open(path+".smaller", 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, bbolt.Compact(to, from, 1<<16))
	require.NoError(t, errors.Join(from.Close(), to.Close(), os.Rename(path+".smaller", path)))

	inbox = inboxOf(t, openAt(t, path))
	after, err := os.Stat(path)
	require.NoError(t, err)
	assert.Less(t, after.Size(), before.Size())
	s := stats(t, inbox)
	assert.Equal(t, []int{10, 3}, []int{s.Waiting, s.DeadLetters})
	enqueue(t, inbox, 0, 2000)
	assert.Equal(t, 10, stats(t, inbox).Waiting, "they are known")
	enqueue(t, inbox, 4000, 4001)
	assert.Equal(t, 11, stats(t, inbox).Waiting, "numbers go on")
}

// Where the note would lie, there is somebody else's file.
func TestNoteOverwritesNothingOfSomebodyElse(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	require.NoError(t, os.WriteFile(holderPath(path), []byte("# To do\n"), 0o600))
	f := openAt(t, path)
	_, err := Open(path, WithOpenWait(0))
	require.Regexp(t, fmt.Sprintf("is in use by (another program|.*, process %d on )", os.Getpid()), err.Error())
	require.NoError(t, f.Close())
	content, err := os.ReadFile(holderPath(path))
	require.NoError(t, err)
	assert.Equal(t, "# To do\n", string(content))
}

// What lies where the note would be may be anything. It is left alone, and holds nobody
// up.
func TestNoteLeavesAloneWhateverLiesThere(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "links and pipes are other things there")
	for name, put := range map[string]func(at string) error{
		"empty file": func(at string) error { return os.WriteFile(at, nil, 0o600) },
		"directory":  func(at string) error { return os.Mkdir(at, 0o700) },
		"link": func(at string) error {
			return errors.Join(os.WriteFile(at+".to", nil, 0o600), os.Symlink(at+".to", at))
		},
		"link to nobody": func(at string) error { return os.Symlink(at+".nothing", at) },
		"pipe":           makePipe,
	} {
		path := newPath(t)
		require.NoError(t, put(holderPath(path)), name)
		before, err := os.Lstat(holderPath(path))
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			f, err := Open(path, WithSync(SyncNever), WithOpenWait(0))
			if err == nil {
				_, again := Open(path, WithOpenWait(0))
				_, told := errors.AsType[*InUseError](again)
				assert.True(t, told, "%s: %v", name, again)
				err = f.Close()
			}
			ended <- err
		}()
		select {
		case err := <-ended:
			require.NoError(t, err, name)
		case <-time.After(patience):
			require.Fail(t, "it hangs", name)
		}
		after, err := os.Lstat(holderPath(path))
		require.NoError(t, err, name)
		assert.True(t, os.SameFile(before, after), name)
	}
}

// A process that was killed leaves its note. Whoever has the file then may not have been
// able to write another one.
func TestNoteOfADeadProcessNamesNobody(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	openAt(t, path)
	note, err := os.ReadFile(holderPath(path))
	require.NoError(t, err)
	ended := startChild(t, "nothing", path)
	ended.stop(t)
	note = bytes.Replace(note, strconv.AppendInt(nil, int64(os.Getpid()), 10), strconv.AppendInt(nil, int64(ended.command.Process.Pid), 10), 1)
	require.NoError(t, os.WriteFile(holderPath(path), note, 0o600))
	_, err = Open(path, WithOpenWait(0))
	require.ErrorContains(t, err, "is in use by ")
	assert.NotContains(t, err.Error(), strconv.Itoa(ended.command.Process.Pid))
}

// The note lies beside one name of a file. Linux tells who has the lock.
func TestSecondOpenerByAnotherNameIsToldWhoHasTheFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	openAt(t, path)
	if err := os.Link(path, path+".other"); err != nil || runtime.GOOS != "linux" {
		t.Skipf("there are no links, or the system does not tell: %v", err)
	}
	_, err := Open(path+".other", WithOpenWait(0))
	inUse, ok := errors.AsType[*InUseError](err)
	require.True(t, ok, "%v", err)
	if inUse.Holder.PID == 0 {
		t.Skip("this file system has other numbers there")
	}
	assert.Equal(t, os.Getpid(), inUse.Holder.PID)
	assert.NotEmpty(t, inUse.Holder.Program)
	assert.NotContains(t, err.Error(), "since")
}

// A file that was moved away is still open when another one of that name is made.
func TestCloseLeavesTheNoteOfAnotherFile(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	path := newPath(t)
	first := openAt(t, path)
	require.NoError(t, os.Rename(path, path+".away"))
	second := openAt(t, path)
	second.note = bytes.Replace(second.note, []byte(filepath.Base(os.Args[0])), []byte("second"), 1)
	require.NoError(t, replaceNote(path, second.note))
	require.NoError(t, first.Close())
	_, err := Open(path, WithOpenWait(0))
	require.ErrorContains(t, err, "is in use by second, process ")
	require.NoError(t, second.Close())
	assert.NoFileExists(t, holderPath(path))
}

// A backup that is copied over the file leaves its name and its length.
func TestContentThatIsReplacedWhileInUseIsAnErrorAtTheNextEvent(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "a mapped file cannot be cut there")
	for behind := range 4 {
		path := newPath(t)
		f := openAt(t, path)
		inbox, store := inboxOf(t, f), f.DedupStore()
		enqueue(t, inbox, 0, 100)
		backup, err := os.ReadFile(path)
		require.NoError(t, err)
		for n := range behind + 1 {
			enqueue(t, inbox, 100+n, 101+n)
		}
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.Write(backup)
		require.NoError(t, errors.Join(err, file.Close()))
		if behind%2 == 0 {
			_, err = store.Begin(t.Context(), "next", 1)
			require.ErrorIs(t, err, ErrGone, "%d commits behind", behind)
		}
		require.ErrorIs(t, inbox.Enqueue(t.Context(), newEvent(t, 1000)), ErrGone, "%d commits behind", behind)
		require.NoError(t, f.Close())
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, backup, left[:len(backup)], "the backup is whole")
	}
}

// pulls are the ways in which a file can go while it is in use.
var pulls = map[string]func(t *testing.T, path string){
	"deleted": func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Remove(path)) },
	"moved":   func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Rename(path, path+".away")) },
	"replaced": func(t *testing.T, path string) {
		t.Helper()
		require.NoError(t, os.Rename(path, path+".away"))
		require.NoError(t, os.WriteFile(path, []byte("# To do\n"), 0o600))
	},
	"replaced by a link": func(t *testing.T, path string) {
		t.Helper()
		require.NoError(t, os.Rename(path, path+".away"))
		require.NoError(t, os.Symlink(path+".away", path))
	},
	"moved with its directory": func(t *testing.T, path string) {
		t.Helper()
		require.NoError(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".away"))
	},
}

func TestFileThatIsPulledAwayIsAnErrorAtTheNextEvent(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	for name, pull := range pulls {
		path := filepath.Join(t.TempDir(), "directory", "events.db")
		require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
		f := openAt(t, path)
		store, inbox := f.DedupStore(), inboxOf(t, f)
		begin(t, store, "under way")
		pull(t, path)
		_, err := store.Begin(t.Context(), "next", 1)
		require.ErrorIs(t, err, ErrGone, name)
		require.ErrorIs(t, inbox.Enqueue(t.Context(), newEvent(t, 1)), ErrGone, name)
		require.ErrorIs(t, store.Done(t.Context(), "under way", 1), ErrGone, name)
		require.ErrorIs(t, f.TokenStore().Save(t.Context(), []byte("token")), ErrGone, name)
		_, err = f.TokenStore().Load(t.Context())
		require.ErrorIs(t, err, ErrGone, name)
		err = f.Close()
		require.ErrorIs(t, err, ErrGone, "%s: a mark could not be kept", name)
		assert.Equal(t, 1, strings.Count(err.Error(), path), "the path is told once")
		if strings.HasPrefix(name, "replaced") {
			_, err := os.Lstat(path)
			require.NoError(t, err, "%s: what is there now is somebody else's", name)
		}
	}
}

func TestFileThatIsPutBackGoesOn(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	path := newPath(t)
	f := openAt(t, path)
	store, inbox := f.DedupStore(), inboxOf(t, f)
	enqueue(t, inbox, 0, 10)
	begin(t, store, "under way")
	require.NoError(t, os.Rename(path, path+".away"))
	require.ErrorIs(t, store.Done(t.Context(), "under way", 1), ErrGone)
	var p tape
	run(t, inbox, p.handle)
	time.Sleep(50 * time.Millisecond)
	assert.Zero(t, p.count(), "nothing is handled that could not be marked")
	require.NoError(t, os.Rename(path+".away", path))
	eventually(t, func() bool { return p.count() == 10 }, "work goes on")
	eventually(t, func() bool {
		state, err := store.Begin(t.Context(), "under way", 1)
		return err == nil && state == webhook.DedupDone
	}, "the mark is caught up")
}

// Somebody's "> events.db" cuts the file that is mapped into memory.
func TestFileThatIsCutWhileInUseIsAnErrorAndNoCrash(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "a mapped file cannot be cut there")
	path := newPath(t)
	f := openAt(t, path)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 100)
	require.NoError(t, os.Truncate(path, 0))
	require.ErrorIs(t, inbox.Enqueue(t.Context(), newEvent(t, 1000)), ErrDamaged)
	_, err := f.DedupStore().Begin(t.Context(), "next", 1)
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorIs(t, inbox.Run(t.Context(), new(tape).handle), ErrDamaged, "it does not wait for ever")
	require.NoError(t, f.Close())
}

// Looking at the file's size takes a while, in which it may grow.
func TestFileThatGrowsIsNotTakenForOneThatWasCut(t *testing.T) {
	f := openNew(t)
	f.db.AllocSize = 64 << 10 // It grows often.
	var grown atomic.Bool
	var looking sync.WaitGroup
	for range 4 {
		looking.Go(func() {
			for !grown.Load() {
				assert.NoError(t, f.usable())
			}
		})
	}
	for n := range uint64(100) {
		assert.NoError(t, f.do(t.Context(), &job{apply: func(c *change) error {
			return c.bucket(tokenBucket).Put(key(n), make([]byte, 100<<10))
		}}))
	}
	grown.Store(true)
	looking.Wait()
}

// A read that is under way when the file is cut faults in the middle.
func TestFaultOfTheProcessorIsAnError(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "a mapped file cannot be cut there")
	path := newPath(t)
	f := openAt(t, path)
	enqueue(t, inboxOf(t, f), 0, 100)
	err := f.view(func(tx *bbolt.Tx) error {
		if err := os.Truncate(path, 0); err != nil {
			return err
		}
		cursor := tx.Bucket(inboxBucket).Cursor()
		for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
			continue
		}
		return nil
	})
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, f.Close())
}

func TestClosedFileTakesNothing(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	store, inbox := f.DedupStore(), inboxOf(t, f)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "it is closed already")
	_, err := store.Begin(t.Context(), "late", 1)
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, store.Done(t.Context(), "late", 1), ErrClosed)
	require.ErrorIs(t, inbox.Enqueue(t.Context(), newEvent(t, 1)), ErrClosed)
	require.ErrorIs(t, inbox.Run(context.Background(), new(tape).handle), ErrClosed)
	_, err = f.TokenStore().Load(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	n, err := inbox.Replay(t.Context(), "late")
	require.ErrorIs(t, err, ErrClosed)
	assert.Zero(t, n)
	n, err = inbox.ReplayAll(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	assert.Zero(t, n)
	require.ErrorIs(t, onlyError(t, inbox.Entries(t.Context())), ErrClosed)
}

// What Close has taken away under a reader is no fault of the file.
func TestReadThatCloseHasCutShortSaysThatTheFileIsClosed(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	failure := errors.New("not open")
	require.ErrorIs(t, f.view(func(*bbolt.Tx) error { return failure }), failure, "it is not closed yet")
	require.ErrorIs(t, f.view(func(*bbolt.Tx) error { f.closed.Store(true); return failure }), ErrClosed)
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "there are other rights there")
	path := newPath(t)
	openAt(t, path)
	for _, name := range []string{path, holderPath(path)} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	}
}

// Programs that begin at the same time make one file.
func TestFileIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	const openers = 8
	ended := make(chan error, openers)
	for n := range openers {
		event := newEvent(t, n)
		go func() {
			f, err := Open(path, WithOpenWait(patience), WithSync(SyncNever))
			if err == nil {
				err = errors.Join((&Inbox{file: f}).Enqueue(t.Context(), event), f.Close())
			}
			ended <- err
		}()
	}
	for range openers {
		require.NoError(t, <-ended)
	}
	assert.Equal(t, openers, stats(t, inboxOf(t, openAt(t, path))).Waiting)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 2, "the file and its note")
}

func TestFileIsMadeAsDocumented(t *testing.T) {
	t.Parallel()
	f, err := Open(newPath(t))
	require.NoError(t, err)
	assert.False(t, f.db.NoSync, "a commit waits for the disk")
	assert.Equal(t, 16<<10, f.db.Info().PageSize)
	assert.Equal(t, time.Second, f.wait)
	assert.Equal(t, 100_000, f.maxEvents)
	assert.Equal(t, 30*24*time.Hour, f.maxAge)
	assert.EqualValues(t, 1<<30, f.maxSize)
	assert.Equal(t, "salesiqbolt("+f.Path()+")", fmt.Sprint(f))
	assert.True(t, filepath.IsAbs(f.Path()))
	inbox := inboxOf(t, f)
	assert.Equal(t, 10, inbox.workers)
	assert.Equal(t, 30*time.Second, inbox.timeout)
	assert.Equal(t, []time.Duration{time.Second, 5 * time.Minute}, []time.Duration{inbox.firstPause, inbox.longestPause})
	assert.Equal(t, 30*24*time.Hour, inbox.MaxAge())
	assert.Zero(t, new(Inbox).MaxAge())
	require.NoError(t, f.Close())
	assert.True(t, openAt(t, f.Path(), WithSync(SyncNever)).db.NoSync)
}

func TestOptionsAreMinded(t *testing.T) {
	t.Parallel()
	f := openNew(t, WithOpenWait(time.Minute), WithMaxSize(1<<20), WithMaxEvents(1), WithMaxAge(1), WithSync(SyncCommits))
	assert.Equal(t, []time.Duration{time.Minute, 1}, []time.Duration{f.wait, f.maxAge})
	assert.EqualValues(t, 1<<20, f.maxSize)
	assert.Equal(t, 1, f.maxEvents)
	assert.False(t, f.db.NoSync)
	inbox := inboxOf(t, f, WithWorkers(1), WithHandlerTimeout(1), WithPauses(1, 2), WithMaxTries(1))
	assert.Equal(t, []int{1, 1}, []int{inbox.workers, inbox.tries})
	assert.Equal(t, []time.Duration{1, 1, 2}, []time.Duration{inbox.timeout, inbox.firstPause, inbox.longestPause})
	assert.EqualValues(t, 1, inbox.pause(1))
	assert.LessOrEqual(t, inbox.pause(2), 3*time.Nanosecond)
}

// The file was removed with its directory, say.
func TestPathThatLeadsNowhereIsAnError(t *testing.T) {
	skipOnWindows(t, "the directory of a process cannot be removed there")
	t.Chdir(t.TempDir())
	directory, err := os.Getwd()
	require.NoError(t, err)
	require.NoError(t, os.Remove(directory))
	require.ErrorIs(t, refuses(t, "events.db"), fs.ErrNotExist)
}

// A file may change between the look at its path and its opening.
func TestFileThatIsReplacedWhileItIsOpenedIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	other := openAt(t, path)
	require.NoError(t, other.Close())
	before := modified(t, path)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	o := &opening{path: path, found: openNew(t).info}
	_, err = o.openBolt(false)
	require.ErrorIs(t, err, ErrGone)
	assertUntouched(t, path, content, before)
	openAt(t, path, WithOpenWait(0))

	o.path = newPath(t)
	_, err = o.openBolt(false)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoFileExists(t, o.path, "no empty one is made")
}

// What is not used of a file may be cut off.
func TestFileThatIsAsLongAsItMustBeIsWhole(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "a mapped file cannot be cut there")
	path := newPath(t)
	f := openAt(t, path)
	enqueue(t, inboxOf(t, f), 0, 10)
	used := f.size.Load()
	require.NoError(t, f.Close())
	require.NoError(t, os.Truncate(path, used))
	f = openAt(t, path)
	assert.Equal(t, 10, stats(t, inboxOf(t, f)).Waiting)
	require.NoError(t, f.usable())
	require.NoError(t, os.Truncate(path, f.size.Load()-1))
	require.ErrorIs(t, f.usable(), ErrDamaged, "it is noticed without a read of what was cut")
}

// What is in a file is looked at when it is opened, and the next one can open it then.
func TestFileWithNonsenseInItIsDamaged(t *testing.T) {
	t.Parallel()
	put := func(bucket, k, b []byte) func(*change) error {
		return func(c *change) error { return c.bucket(bucket).Put(k, b) }
	}
	for name, harm := range map[string]func(*change) error{
		"an entry":            put(inboxBucket, key(1), []byte("nonsense")),
		"a dead letter":       put(deadBucket, key(1), []byte("nonsense")),
		"a record":            put(handledBucket, key(1), []byte("short")),
		"a part of a record":  put(handledBucket, key(1), []byte("eight bytes, and no fingerprint")),
		"a time":              put(dueBucket, []byte("short"), nil),
		"a bucket is missing": func(c *change) error { return c.tx.DeleteBucket(deadBucket) },
	} {
		path := newPath(t)
		f := openAt(t, path)
		if name == "a bucket is missing" {
			require.NoError(t, f.db.Update(func(tx *bbolt.Tx) error { return harm(&change{tx: tx}) }))
		} else {
			doChange(t, f, harm, name)
		}
		require.NoError(t, f.Close(), name)
		for range 2 {
			err := refuses(t, path)
			require.ErrorIs(t, err, ErrDamaged, name)
			require.NotErrorIs(t, err, ErrForeign, name)
		}
	}
}

// Which pages are free is read last, when the file is open already.
func TestFileWhoseFreePagesAreUnknownIsDamaged(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	require.NoError(t, openAt(t, path).Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	lists := 0
	for at := 0; at < len(content); at += pageSize {
		if flags := content[at+8 : at+10]; binary.NativeEndian.Uint16(flags) == 0x10 {
			binary.NativeEndian.PutUint16(flags, 0x40)
			lists++
		}
	}
	require.Positive(t, lists)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	for range 3 {
		require.ErrorIs(t, refuses(t, path), ErrDamaged, "and the one before has not kept it")
	}
}

// bbolt keeps two pages that say where everything is. Without both there is nothing.
func TestFileWhoseFirstPagesAreDamagedIsNotForeign(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	require.NoError(t, openAt(t, path).Close())
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	for page := range int64(2) {
		_, err := file.WriteAt([]byte{0xff}, page*pageSize+16+40)
		require.NoError(t, err)
	}
	require.NoError(t, file.Close())
	require.ErrorIs(t, refuses(t, path), ErrDamaged)
}

// Somebody else may have made the file in the meantime, and not every system has links.
func TestNewFileTakesNoNameFromAnother(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	folder, existing := filepath.Join(directory, "folder"), filepath.Join(directory, "existing")
	require.NoError(t, os.WriteFile(existing, []byte("theirs"), 0o600))
	require.NoError(t, os.WriteFile(existing+".new", []byte("ours"), 0o600))
	require.NoError(t, giveName(existing+".new", existing))
	require.NoError(t, giveName(existing+".missing", existing))
	content, err := os.ReadFile(existing)
	require.NoError(t, err)
	assert.Equal(t, "theirs", string(content))
	require.NoError(t, os.Mkdir(folder, 0o700)) // No system has links to a folder.
	require.NoError(t, giveName(folder, folder+".renamed"))
	assert.DirExists(t, folder+".renamed")
	require.ErrorIs(t, giveName(folder, folder), fs.ErrNotExist)
}

func TestNoteThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, replaceNote(filepath.Join(t.TempDir(), "missing", "events.db"), nil), fs.ErrNotExist)
	path := newPath(t)
	require.NoError(t, os.Mkdir(holderPath(path), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(holderPath(path), "something"), nil, 0o600))
	require.Error(t, replaceNote(path, []byte(holderBegins)))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left behind")
}
