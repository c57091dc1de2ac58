package account

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/salesiq-go/salesiq"
)

const keySize = 32

// TokenFile returns a store in an encrypted file. Its key is SALESIQ_TOKEN_KEY,
// 64 hexadecimal digits, or the content of a file beside it, which is made when
// it is missing. A key that lies beside what it opens keeps copies of the file
// safe, such as backups; against who reads the whole disk, keep it elsewhere.
func TokenFile(path string) (*salesiq.TokenVault, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	digits := os.Getenv("SALESIQ_TOKEN_KEY")
	if digits == "" {
		var err error
		if digits, err = keyFile(path + ".key"); err != nil {
			return nil, fmt.Errorf("the key of the token file: %w", err)
		}
	}
	key, err := hex.DecodeString(strings.TrimSpace(digits))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("the key of the token file must be %d hexadecimal digits", 2*keySize)
	}
	return salesiq.FileTokenStore(path, key), nil
}

// keyFile returns the content of a file for the owner's eyes only, and makes it
// if there is none.
func keyFile(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		content, err := os.ReadFile(path)
		return string(content), err
	}
	if err != nil {
		return "", err
	}
	key := make([]byte, keySize)
	rand.Read(key) // It never fails.
	digits := hex.EncodeToString(key)
	_, err = file.WriteString(digits + "\n")
	return digits, errors.Join(err, file.Close())
}
