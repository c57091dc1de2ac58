package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/salesiq-go/salesiq/internal/atomicfile"
)

// maxTokenFile bounds what is read of a file, in bytes. No token is that large.
const maxTokenFile = 1 << 20

// FileTokenStore returns a vault that keeps tokens in a file, sealed with key; see
// [SealTokens]. Processes that share the file renew its token once: who renews it
// locks the file path.lock, which is made beside it and stays there. The lock ends
// with its process. Over a network file system, it is as good as that system's.
//
// The file is readable by its owner only, and replaced as a whole. Whenever a
// program or the machine stops, and however many processes write at once, the file
// holds one token or another. Its directory must exist. A file that others may
// read, a symbolic link, and a file that does not open with the key are refused,
// and never overwritten.
//
// Errors: those of SealTokens, and an [InputError] for an empty path.
func FileTokenStore(path string, key []byte, older ...[]byte) *TokenVault {
	vault := SealTokens(&fileStore{path: path}, key, older...)
	vault.name = "token file " + path
	vault.err = cmp.Or(required("token file", path), vault.err)
	return vault
}

// fileStore keeps bytes in a file.
type fileStore struct {
	path    string
	emptyOK bool // An empty file holds no token, as if it were not there.

	mu sync.Mutex
}

func (f *fileStore) Load(context.Context) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, err := readPrivate(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = os.Stat(filepath.Dir(f.path)); err == nil {
			return nil, nil
		}
		err = fmt.Errorf("its directory: %w", atomicfile.WithoutPath(err))
	}
	if err == nil && len(content) == 0 && !f.emptyOK {
		err = errEmptyFile
	}
	if err != nil {
		return nil, fmt.Errorf("token file %s: %w", f.path, err)
	}
	return content, nil
}

// isEmpty reports whether the file is there, and holds nothing.
func (f *fileStore) isEmpty() bool {
	info, err := os.Lstat(f.path)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

func (f *fileStore) Save(_ context.Context, sealed []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := atomicfile.Write(f.path, sealed); err != nil {
		return fmt.Errorf("token file: %w", err)
	}
	return nil
}

// lockRetry is how often a process looks whether the lock is free.
const lockRetry = 50 * time.Millisecond

// Lock implements [TokenLocker]. The lock cannot be lost while its holder lives.
// Where the system has no locks, as in a browser, it is no lock.
func (f *fileStore) Lock(ctx context.Context) (locked TokenStore, unlock func(), err error) {
	lock := flock.New(f.path+".lock", flock.SetPermissions(0o600))
	_, err = lock.TryLockContext(ctx, lockRetry)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return f, func() {}, nil
	case err != nil:
		return nil, nil, fmt.Errorf("token file: %w", err)
	}
	return f, func() { lock.Close() }, nil //nolint:errcheck // Closing a file that was not written does not fail.
}

var errEmptyFile = errors.New("is empty")

// readPrivate reads a regular file to which only its owner has access.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, atomicfile.WithoutPath(err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, atomicfile.ErrNotRegular
	case mode.Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return nil, fmt.Errorf("is open to others (mode %04o): it must be 0600", mode.Perm())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, atomicfile.WithoutPath(err)
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	return io.ReadAll(io.LimitReader(file, maxTokenFile))
}
