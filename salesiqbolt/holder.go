package salesiqbolt

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"
)

// holderBegins begins the note that says who has a file. It lies beside the file,
// since the file itself is locked. The lock decides; the note only tells.
const holderBegins = "salesiqbolt: in use by "

func holderPath(path string) string { return path + ".holder" }

// noteHolder writes the note. Where it cannot, nobody is told, and nothing else
// comes of it.
func noteHolder(path string) {
	if info, err := os.Lstat(holderPath(path)); err == nil && (!info.Mode().IsRegular() || !isHolderNote(path)) {
		return // It is somebody else's.
	}
	host, _ := os.Hostname() //nolint:errcheck // The note does without.
	note, err := json.Marshal(Holder{Program: filepath.Base(os.Args[0]), PID: os.Getpid(), Host: host, Since: time.Now().Round(time.Second)})
	if err == nil {
		os.WriteFile(holderPath(path), append([]byte(holderBegins), note...), 0o600) //nolint:errcheck // It is a note.
	}
}

// removeHolder removes the note.
func removeHolder(path string) {
	if isHolderNote(path) {
		os.Remove(holderPath(path)) //nolint:errcheck // It is a note.
	}
}

// isHolderNote reports whether what lies there is a note, or nothing yet.
func isHolderNote(path string) bool {
	content := readHolderNote(path)
	return len(content) == 0 || bytes.HasPrefix(content, []byte(holderBegins))
}

// readHolder returns who has a file, or nobody where that is not known.
func readHolder(path string) (holder Holder) {
	if note, ok := bytes.CutPrefix(readHolderNote(path), []byte(holderBegins)); ok && json.Unmarshal(note, &holder) != nil {
		return Holder{}
	}
	return holder
}

func readHolderNote(path string) []byte {
	file, err := os.Open(holderPath(path))
	if err != nil {
		return nil
	}
	defer file.Close()                                   //nolint:errcheck // Nothing was written.
	content, _ := io.ReadAll(io.LimitReader(file, 4096)) //nolint:errcheck // A piece is no note.
	return content
}
