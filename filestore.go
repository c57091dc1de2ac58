package salesiq

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// fileMagic begins each token file, and is authenticated with it. Another
// format gets another number.
const fileMagic = "salesiq token file 1\n"

// maxTokenFile is far beyond the size of any token.
const maxTokenFile = 1 << 20

// tokenKeySize is the size of an AES-256 key.
const tokenKeySize = 32

var (
	errNotRegular   = errors.New("is not a regular file")
	errNotTokenFile = errors.New("is not a token file of this version")
	errWrongKey     = errors.New("does not open with this key: it was written with another one, or is damaged; it is left as it is")
)

// FileTokenStore returns a store in a file, encrypted with key (AES-256-GCM),
// which must be 32 random bytes, such as from [crypto/rand.Read], and is best
// kept apart from the file.
//
// The file is readable by its owner only, and replaced as a whole: whenever a
// program or the machine stops, and however many write at once, it holds one
// token or the other. Its directory must exist. A file that others may read, a
// symbolic link, and a file that does not open with the key are refused, and
// never overwritten: delete such a file to begin anew.
//
// A key of another size is reported by [NewClient].
func FileTokenStore(path string, key []byte) TokenStore {
	f := &fileStore{opaque: "FileTokenStore", path: path}
	f.err = required("token file", path)
	if f.err == nil && len(key) != tokenKeySize {
		f.err = inputError("token file key", fmt.Sprintf("must be %d bytes, not %d", tokenKeySize, len(key)))
	}
	if f.err == nil {
		f.aead, f.err = newAEAD(key)
	}
	return f
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

type fileStore struct {
	opaque

	path string
	aead cipher.AEAD
	err  error

	mu sync.Mutex
}

// storedToken is the content of the file.
type storedToken struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	Expiry       time.Time `json:"expiry,omitzero"`
	APIDomain    string    `json:"api_domain"`
	AccountsURL  string    `json:"accounts_url"`
	Grant        string    `json:"grant"`
}

// check implements an early look by NewClient.
func (f *fileStore) check() error { return f.err }

func (f *fileStore) Load(ctx context.Context) (Token, error) {
	if err := firstOf(f.err, ctx.Err()); err != nil {
		return Token{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load()
}

func (f *fileStore) Save(ctx context.Context, token Token) error {
	if err := firstOf(f.err, ctx.Err()); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.load(); err != nil {
		return err
	}
	content, err := wire.Marshal(storedToken{
		AccessToken:  token.AccessToken.Reveal(),
		RefreshToken: token.RefreshToken.Reveal(),
		Expiry:       token.Expiry,
		APIDomain:    token.APIDomain,
		AccountsURL:  token.AccountsURL,
		Grant:        token.Grant,
	})
	if err == nil {
		err = writeFile(f.path, f.seal(content))
	}
	if err != nil {
		return fmt.Errorf("token file: %w", err)
	}
	return nil
}

func (f *fileStore) load() (Token, error) {
	content, err := readPrivate(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = os.Stat(filepath.Dir(f.path)); err == nil {
			return Token{}, nil
		}
		err = fmt.Errorf("its directory: %w", withoutPath(err))
	}
	if err == nil {
		content, err = f.open(content)
	}
	var t storedToken
	if err == nil {
		err = wire.Unmarshal(content, &t)
	}
	if err != nil {
		return Token{}, fmt.Errorf("token file %s: %w", f.path, err)
	}
	return Token{
		AccessToken:  Secret(t.AccessToken),
		RefreshToken: Secret(t.RefreshToken),
		Expiry:       t.Expiry,
		APIDomain:    t.APIDomain,
		AccountsURL:  t.AccountsURL,
		Grant:        t.Grant,
	}, nil
}

// seal returns magic, nonce and ciphertext.
func (f *fileStore) seal(content []byte) []byte {
	nonce := make([]byte, f.aead.NonceSize())
	rand.Read(nonce) // It never fails.
	sealed := append([]byte(fileMagic), nonce...)
	return f.aead.Seal(sealed, nonce, content, []byte(fileMagic))
}

func (f *fileStore) open(sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(fileMagic))
	size := f.aead.NonceSize()
	if !ok || len(rest) < size {
		return nil, errNotTokenFile
	}
	content, err := f.aead.Open(nil, rest[:size], rest[size:], []byte(fileMagic))
	if err != nil {
		return nil, errWrongKey
	}
	return content, nil
}

// readPrivate reads a file that nobody else could have read or put there.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, errNotRegular
	case mode.Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return nil, fmt.Errorf("is open to others (mode %04o): it must be 0600", mode.Perm())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	return io.ReadAll(io.LimitReader(file, maxTokenFile))
}

// writeFile replaces a file by way of a temporary one beside it, so that no
// reader, and no crash, ever meets half of it.
func writeFile(path string, content []byte) error {
	directory := filepath.Dir(path)
	file, err := os.CreateTemp(directory, "."+filepath.Base(path)+".*") // Made with mode 0600.
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDirectory(directory)
}

// syncDirectory makes a rename durable, where the system can do that.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// withoutPath keeps the path from being named twice.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
