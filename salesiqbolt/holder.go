package salesiqbolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// holderBegins begins the note that says who has a file. It lies beside the file,
// since the file itself is locked. The lock decides; the note only tells.
const holderBegins = "salesiqbolt: in use by "

func holderPath(path string) string { return path + ".holder" }

// noteHolder writes the note, and returns it. Where it cannot, nobody is told, and
// nothing else comes of it.
func noteHolder(path string) (note []byte) {
	_, err := os.Lstat(holderPath(path))
	if before := readHolderNote(path); before == nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // It is somebody else's.
	}
	note, err = json.Marshal(Holder{Program: filepath.Base(os.Args[0]), PID: os.Getpid(), Host: hostName(), Since: time.Now().Round(time.Second)})
	if err != nil {
		return nil
	}
	note = append([]byte(holderBegins), note...)
	if replaceNote(path, note) != nil {
		removeHolder(path, readHolderNote(path)) // It would name a process that has ended.
		return nil
	}
	return note
}

// replaceNote puts a note in the place of another one. It is whole, or not there.
func replaceNote(path string, note []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".holder-*")
	if err != nil {
		return err
	}
	_, err = file.Write(note)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), holderPath(path))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// removeHolder removes a note that is still there.
func removeHolder(path string, note []byte) {
	if note != nil && bytes.Equal(note, readHolderNote(path)) {
		os.Remove(holderPath(path)) //nolint:errcheck // It is a note.
	}
}

// readHolder returns who has a file, or nobody where that is not known. A process of
// this machine that has ended is not the one. There is no note where the file has
// another name, or where whoever has it could not write one.
func readHolder(path string) (holder Holder) {
	note, ok := bytes.CutPrefix(readHolderNote(path), []byte(holderBegins))
	if !ok || json.Unmarshal(note, &holder) != nil || holder.Host == hostName() && !isRunning(holder.PID) {
		return lockHolder(path)
	}
	return holder
}

func hostName() string {
	name, _ := os.Hostname() //nolint:errcheck // The note does without.
	return name
}

// readHolderNote returns the note, or nil where there is none, or something else.
func readHolderNote(path string) []byte {
	if info, err := os.Lstat(holderPath(path)); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(holderPath(path))
	if err != nil {
		return nil
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	content, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil || !bytes.HasPrefix(content, []byte(holderBegins)) {
		return nil
	}
	return content
}
