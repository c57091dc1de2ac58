package salesiqbolt

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
)

// smallDisk returns a folder on a disk of 2 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	return folder
}

// fill leaves no room on a disk, until the func is called.
func fill(t *testing.T, folder string) (empty func()) {
	t.Helper()
	path := filepath.Join(folder, "ballast")
	file, err := os.Create(path)
	require.NoError(t, err)
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, file.Close())
	return func() { require.NoError(t, os.Remove(path)) }
}

func TestFullDiskThatGetsRoomAgainLosesNothing(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	path := filepath.Join(folder, "events.db")
	f := openAt(t, path, WithSync(SyncCommits))
	store, inbox := f.DedupStore(), inboxOf(t, f, WithWorkers(4))
	enqueue(t, inbox, 0, 4)
	var p tape
	full := make(chan struct{})
	room := sync.OnceFunc(func() { close(full) })
	var handling sync.WaitGroup
	handling.Add(4)
	run(t, inbox, func(ctx context.Context, event webhook.Event) error {
		if p.count() < 4 {
			handling.Done()
			<-full
		}
		return p.handle(ctx, event)
	})
	t.Cleanup(room)
	handling.Wait() // Four are handled when the disk fills up.
	const marks = 500
	for n := range marks {
		begin(t, store, strconv.Itoa(n))
	}
	empty := fill(t, folder)

	taken, refused := 4, 0
	for n := 4; refused < 20 && n < 10_000; n++ { // There may be room in the file.
		if err := inbox.Enqueue(t.Context(), newEvent(t, n)); err != nil {
			require.ErrorIs(t, err, ErrFull)
			refused++
		} else {
			taken++
		}
	}
	require.Equal(t, 20, refused)
	var err error
	for n := 0; n < marks && err == nil; n++ {
		err = store.Done(t.Context(), strconv.Itoa(n), 1)
	}
	require.ErrorIs(t, err, ErrFull)
	for n := range marks {
		store.Done(t.Context(), strconv.Itoa(n), 1) //nolint:errcheck // They are owed.
	}
	_, err = store.Begin(t.Context(), "next", 1)
	require.ErrorIs(t, err, ErrFull, "its mark might be lost")
	room()
	eventually(t, func() bool { return p.count() == 4 }, "the four are handled")
	assert.Equal(t, 4, p.count(), "no event is handled whose mark cannot be kept")

	empty()
	eventually(t, func() bool { return p.count() == taken }, "what was taken is handled")
	for n := range marks {
		assert.Equal(t, webhook.DedupDone, begin(t, store, strconv.Itoa(n)), "the mark is caught up")
	}
	for n := 10_000; n < 10_050; n++ {
		require.NoError(t, inbox.Enqueue(t.Context(), newEvent(t, n)))
	}
	eventually(t, func() bool { s := stats(t, inbox); return p.count() == taken+50 && s.Waiting+s.Running == 0 }, "work goes on")
	for chat, times := range p.handled {
		assert.Equal(t, 1, times, chat)
	}
	t.Logf("%d events taken before and while the disk was full, %d refused, 50 after: none lost, none handled twice", taken, refused)
	require.NoError(t, f.Close())
	assert.Equal(t, webhook.DedupDone, begin(t, openAt(t, path).DedupStore(), strconv.Itoa(marks-1)))
}

func TestCloseSaysWhichMarksAFullDiskHasCost(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	f := openAt(t, filepath.Join(folder, "events.db"))
	store := f.DedupStore()
	const events = 500
	for n := range events {
		begin(t, store, newEvent(t, n).Info().EventID)
	}
	fill(t, folder)
	lost := 0
	for n := range events {
		if err := store.Done(t.Context(), newEvent(t, n).Info().EventID, 1); err != nil {
			require.ErrorIs(t, err, ErrFull)
			lost++
		}
	}
	require.Positive(t, lost)
	err := f.Close()
	require.ErrorIs(t, err, ErrFull)
	require.ErrorContains(t, err, "lacks the marks of ")
}

func TestFullDiskKeepsNoPieceOfANewFile(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	empty := fill(t, folder)
	path := filepath.Join(folder, "events.db")
	require.ErrorIs(t, refuses(t, path), ErrFull)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the ballast")
	empty()
	enqueue(t, inboxOf(t, openAt(t, path)), 0, 1)
}

// brokenDisk returns a folder on a disk of 64 MiB whose data are on another one, of a
// size that can be too small. It becomes read-only at a failure.
func brokenDisk(t *testing.T, size string) (folder, data, device string) {
	t.Helper()
	folder, data = t.TempDir(), t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(data, syscall.MNT_DETACH)) })
	image := filepath.Join(data, "image")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, 64<<20))
	for _, command := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-O", "^has_journal", image},
		{"mount", "-o", "loop,errors=remount-ro", image, folder},
	} {
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%v: %v: %s", command, err, out)
		}
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	mounts, err := os.ReadFile("/proc/mounts")
	require.NoError(t, err)
	before, _, found := strings.Cut(string(mounts), " "+folder+" ")
	require.True(t, found)
	return folder, data, filepath.Base(before[strings.LastIndex(before, "\n")+1:])
}

// A disk that has failed is made read-only by the system, while the file is open.
func TestDiskThatBecomesReadOnlyIsAnErrorAtTheNextEvent(t *testing.T) {
	t.Parallel()
	folder, data, device := brokenDisk(t, "16m")
	f := openAt(t, filepath.Join(folder, "events.db"), WithSync(SyncCommits))
	inbox, store := inboxOf(t, f), f.DedupStore()
	enqueue(t, inbox, 0, 20)
	begin(t, store, "under way")
	require.NoError(t, os.WriteFile("/sys/fs/ext4/"+device+"/trigger_fs_error", []byte("1"), 0o200))
	err := inbox.Enqueue(t.Context(), newEvent(t, 100))
	require.ErrorIs(t, err, ErrReadOnly)
	require.NotErrorIs(t, err, ErrUncertain, "nothing was written")
	require.ErrorIs(t, store.Done(t.Context(), "under way", 1), ErrReadOnly)
	_, err = store.Begin(t.Context(), "next", 1)
	require.ErrorIs(t, err, ErrReadOnly, "its mark would be lost")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var p tape
	require.Error(t, inbox.Run(ctx, p.handle))
	assert.Zero(t, p.count(), "nothing is handled that could not be marked")
	require.ErrorContains(t, f.Close(), "lacks the marks of 1 events")

	// The machine starts again, as one has to after such a failure.
	require.NoError(t, syscall.Unmount(folder, 0))
	out, err := exec.CommandContext(t.Context(), "mount", "-o", "loop", filepath.Join(data, "image"), folder).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, 20, stats(t, inboxOf(t, openAt(t, filepath.Join(folder, "events.db")))).Waiting)
}

// What the system has not written yet is lost with the power. What it has is in the image.
func TestNewFileIsThereAfterPowerLoss(t *testing.T) {
	t.Parallel()
	folder, data, _ := brokenDisk(t, "16m")
	require.NoError(t, makeFile(filepath.Join(folder, "events.db")))
	after, image := t.TempDir(), filepath.Join(data, "image")
	for _, command := range [][]string{{"cp", "--sparse=always", image, image + ".after"}, {"mount", "-o", "loop", image + ".after", after}} {
		out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(after, syscall.MNT_DETACH)) })
	assert.FileExists(t, filepath.Join(after, "events.db"))
	openAt(t, filepath.Join(after, "events.db"))
}

// What was written may not be on the disk, and the system tells that once.
func TestDiskThatDoesNotConfirmACommitHasTheFileOpenedAnew(t *testing.T) {
	t.Parallel()
	folder, data, _ := brokenDisk(t, "4m")
	path := filepath.Join(folder, "events.db")
	f := openAt(t, path, WithSync(SyncCommits))
	inbox, store := inboxOf(t, f), f.DedupStore()
	enqueue(t, inbox, 0, 20)
	begin(t, store, "under way")
	empty := fill(t, data)
	taken := 20
	var err error
	for ; err == nil && taken < 5000; taken++ { // Some pages are on the disk already.
		err = inbox.Enqueue(t.Context(), newEvent(t, taken))
	}
	taken--
	require.ErrorIs(t, err, ErrUncertain)
	require.ErrorContains(t, err, "start the program again")
	empty()
	require.ErrorIs(t, inbox.Enqueue(t.Context(), newEvent(t, 5000)), ErrUncertain, "no later commit hides it")
	require.ErrorIs(t, store.Done(t.Context(), "under way", 1), ErrUncertain)
	_, err = store.Begin(t.Context(), "next", 1)
	require.ErrorIs(t, err, ErrUncertain)
	require.ErrorIs(t, inbox.Run(t.Context(), new(tape).handle), ErrUncertain, "it does not wait for ever")
	require.ErrorIs(t, f.Close(), ErrUncertain)

	inbox = inboxOf(t, openAt(t, path))
	known := map[string]bool{}
	for e, err := range inbox.Entries(t.Context()) {
		require.NoError(t, err)
		known[e.EventID] = true
	}
	for n := range taken {
		assert.True(t, known[newEvent(t, n).Info().EventID], "it was taken")
	}
	enqueue(t, inbox, 6000, 6100)
	t.Logf("%d events taken before the disk did not confirm a commit: none lost", taken)
}

func TestReadOnlyDiskIsRefused(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	path := filepath.Join(folder, "events.db")
	require.NoError(t, openAt(t, path).Close())
	require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	for _, name := range []string{"events.db", "new.db"} {
		err := refuses(t, filepath.Join(folder, name))
		require.ErrorIs(t, err, syscall.EROFS)
	}
}

func TestLockThatNobodyHasNamesNobody(t *testing.T) {
	t.Parallel()
	path := filepath.Join(smallDisk(t), "events.db")
	assert.Zero(t, lockHolder(path))
	file, err := os.Create(path)
	require.NoError(t, err)
	assert.Zero(t, lockHolder(path))
	require.NoError(t, syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK}))
	assert.Zero(t, lockHolder(path), "this lock is of another kind")
	require.NoError(t, file.Close())
}

func TestLockNamesWhoHasIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(smallDisk(t), "events.db") // Some file systems have other numbers there.
	openAt(t, path)
	holder := lockHolder(path)
	assert.Equal(t, os.Getpid(), holder.PID)
	assert.Equal(t, hostName(), holder.Host)
	assert.NotEmpty(t, holder.Program)
	assert.Contains(t, filepath.Base(os.Args[0]), holder.Program)
	assert.Zero(t, holder.Since)

	assert.Equal(t, "fe:00:23", lockPlace(0xfe00, 23))
	assert.Equal(t, "103:07:5", lockPlace(0x10307, 5))
	assert.Equal(t, "08:12c:1", lockPlace(0x10082c, 1))
	assert.Equal(t, "fff:fffff:1", lockPlace(0xffffffff, 1))
}

// The note of a process that was killed would name it for ever.
func TestFullDiskKeepsNoNoteOfADeadProcess(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	path := filepath.Join(folder, "events.db")
	require.NoError(t, openAt(t, path).Close())
	require.NoError(t, os.WriteFile(holderPath(path), []byte(holderBegins+"{}"), 0o600))
	fill(t, folder)
	openAt(t, path)
	assert.NoFileExists(t, holderPath(path))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "the file and the ballast")
}
