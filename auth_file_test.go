package salesiq

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

func fullToken() Token {
	return Token{
		AccessToken:  NewSecret("access-text"),
		RefreshToken: NewSecret("refresh-text"),
		Expiry:       time.Now().Add(time.Hour).UTC().Round(0),
		APIDomain:    "https://www.zohoapis.eu",
		AccountsURL:  "https://accounts.zoho.eu",
		Grant:        fingerprint(NewSecret("refresh-text")),
	}
}

func TestFileStoreKeepsAllOfATokenEncrypted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	want := fullToken()
	require.NoError(t, FileTokenStore(path, testKey).Save(t.Context(), want))
	got, err := FileTokenStore(path, testKey).Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, text := range []string{"access-text", "refresh-text", "zoho"} {
		require.NotContains(t, string(content), text)
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	require.Len(t, entries(t, path), 1, "no temporary file is left")
}

func entries(t *testing.T, path string) []os.DirEntry {
	t.Helper()
	found, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	return found
}

// S8
func TestTokenFileOfTheFirstVersionIsReadAndReplaced(t *testing.T) {
	t.Parallel()
	sealed, err := os.ReadFile(filepath.Join("internal", "seal", "testdata", "token-file-1"))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, sealed, 0o600))
	store := FileTokenStore(path, bytes.Repeat([]byte("y"), 32))
	want := Token{
		AccessToken: NewSecret("access-text"), RefreshToken: NewSecret("refresh-text"),
		Expiry: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC), APIDomain: "https://www.zohoapis.eu",
		AccountsURL: "https://accounts.zoho.eu", Grant: "fingerprint",
	}
	token, err := store.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, token)
	require.NoError(t, store.Save(t.Context(), token))
	replaced, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(replaced, []byte("salesiq sealed 1:")))
}

func TestFileStoreStartsEmpty(t *testing.T) {
	t.Parallel()
	token, err := FileTokenStore(filepath.Join(t.TempDir(), "token"), testKey).Load(t.Context())
	require.NoError(t, err)
	require.Zero(t, token)
}

func TestFileThatCannotBeTrustedIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes and links are other things there")
	}
	for why, test := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"another key": {func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Remove(path))
			require.NoError(t, FileTokenStore(path, bytes.Repeat([]byte("k"), 32)).Save(t.Context(), fullToken()))
		}, "another one"},
		"a changed byte": {func(t *testing.T, path string) {
			t.Helper()
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			content[len(content)-1] ^= 1
			require.NoError(t, os.WriteFile(path, content, 0o600))
		}, "damaged"},
		"cut":   {func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Truncate(path, 60)) }, "damaged"},
		"empty": {func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Truncate(path, 0)) }, "is empty"},
		"something else": {func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte(`{"access_token":"x"}`), 0o600))
		}, "not sealed"},
		"a later version": {func(t *testing.T, path string) {
			t.Helper()
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, bytes.Replace(content, []byte("sealed 1"), []byte("sealed 2"), 1), 0o600))
		}, "not sealed in this version's format"},
		"open to others": {func(t *testing.T, path string) { t.Helper(); require.NoError(t, os.Chmod(path, 0o640)) }, "0600"},
		"a symbolic link": {func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Rename(path, path+".real"))
			require.NoError(t, os.Symlink(path+".real", path))
		}, "not a regular file"},
		"a directory": {func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "not a regular file"},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			store := FileTokenStore(path, testKey)
			require.NoError(t, store.Save(t.Context(), fullToken()))
			test.spoil(t, path)
			before, _ := os.ReadFile(path)

			_, err := store.Load(t.Context())
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, store.Save(t.Context(), fullToken()), test.want)
			err = get(t.Context(), clientOf(t, &fakeZoho{}, store))
			requireAuthError(t, err)
			require.ErrorContains(t, err, test.want)

			after, _ := os.ReadFile(path)
			require.Equal(t, before, after)
		})
	}
}

func TestFileStoreSaysWhyItCannotWrite(t *testing.T) {
	t.Parallel()
	missing := FileTokenStore(filepath.Join(t.TempDir(), "missing", "token"), testKey)
	require.ErrorIs(t, missing.Save(t.Context(), fullToken()), os.ErrNotExist)
	require.ErrorIs(t, missing.store.Save(t.Context(), []byte("sealed")), os.ErrNotExist, "it may vanish after it was read")
	z := &fakeZoho{}
	require.ErrorContains(t, get(t.Context(), clientOf(t, z, missing)), "its directory")
	require.Zero(t, z.requests(), "each start would use up a token")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "token")
	require.ErrorIs(t, FileTokenStore(path, testKey).Save(ctx, fullToken()), context.Canceled)
	require.Empty(t, entries(t, path))
}

func TestClientSurvivesARestartWithOneToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	z := &fakeZoho{}
	for range 5 {
		require.NoError(t, get(t.Context(), clientOf(t, z, FileTokenStore(path, testKey))))
	}
	require.Equal(t, 1, z.requests())
}

// writerVariable turns the test binary into one of several processes that
// write to the same file.
const writerVariable = "SALESIQ_TEST_TOKEN_FILE"

func TestProcessesThatWriteAtOnceLeaveAWholeFile(t *testing.T) {
	if path := os.Getenv(writerVariable); path != "" {
		writeTokens(t, path)
		return
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, FileTokenStore(path, testKey).Save(t.Context(), fullToken()))
	var writers []*exec.Cmd
	for range 3 {
		writer := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		writer.Env = append(os.Environ(), writerVariable+"="+path)
		require.NoError(t, writer.Start())
		writers = append(writers, writer)
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for _, writer := range writers {
			if failed := writer.Wait(); failed != nil {
				err = failed
			}
		}
		done <- err
	}()
	for {
		token, err := FileTokenStore(path, testKey).Load(t.Context())
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(token.APIDomain, "https://"))
		select {
		case err := <-done:
			require.NoError(t, err)
			require.Len(t, entries(t, path), 1)
			return
		default:
		}
	}
}

func writeTokens(t *testing.T, path string) {
	t.Helper()
	store := FileTokenStore(path, testKey)
	for i := range 20 {
		token := fullToken()
		token.AccessToken = NewSecret(fmt.Sprint(os.Getpid(), i))
		require.NoError(t, store.Save(t.Context(), token))
	}
}

// A14
func TestProcessesThatShareATokenFileRenewOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "token")
		z := &fakeZoho{perToken: time.Second, answer: rotating()}
		var processes []*Client // A lock is that of an open file, so that these are as good as processes.
		for range 4 {
			processes = append(processes, clientOf(t, z, FileTokenStore(path, testKey)))
		}
		for hour := range 3 {
			var group sync.WaitGroup
			for _, process := range processes {
				group.Go(func() {
					for _, err := range many(25, func() error { return get(t.Context(), process) }) {
						assert.NoError(t, err)
					}
				})
			}
			group.Wait()
			require.Equal(t, hour+1, z.requests())
			time.Sleep(time.Hour)
		}
	})
}

// holderVariable turns the test binary into a process that holds a lock until it is
// killed.
const holderVariable = "SALESIQ_TEST_TOKEN_LOCK"

func TestLockOfATokenFileEndsWithItsProcess(t *testing.T) {
	if path := os.Getenv(holderVariable); path != "" {
		_, unlock, err := (&fileStore{path: path}).Lock(t.Context())
		require.NoError(t, err)
		defer unlock() // Or the garbage collector gives the lock back.
		fmt.Println("locked")
		time.Sleep(time.Minute)
		return
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	holder.Env = append(os.Environ(), holderVariable+"="+path)
	output, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	_, err = bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 5*lockRetry)
	defer cancel()
	_, _, err = (&fileStore{path: path}).Lock(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "it is held")

	require.NoError(t, holder.Process.Kill())
	require.Error(t, holder.Wait())
	_, unlock, err := (&fileStore{path: path}).Lock(t.Context())
	require.NoError(t, err)
	unlock()
	info, err := os.Stat(path + ".lock")
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func TestWhatOpensAndIsNoTokenIsRefused(t *testing.T) {
	t.Parallel()
	for _, vault := range []*TokenVault{NewMemoryTokenStore(), SealTokens(&memoryStore{}, testKey)} {
		content := []byte("no token")
		if vault.codec != nil {
			content = vault.codec.Seal(content)
		}
		require.NoError(t, vault.store.Save(t.Context(), content))
		token, err := vault.Load(t.Context())
		require.Zero(t, token)
		require.ErrorContains(t, err, "stored token")
		require.True(t, isUnopened(err))
	}
}

func TestMemoryStoreStartsEmptyAndKeeps(t *testing.T) {
	t.Parallel()
	store := NewMemoryTokenStore()
	token, err := store.Load(t.Context())
	require.NoError(t, err)
	require.Zero(t, token)
	require.NoError(t, store.Save(t.Context(), fullToken()))
	token, err = store.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, NewSecret("access-text"), token.AccessToken)
}
