package salesiq

import "path/filepath"

// EndProcess does to the file of a day what the end of the process does.
func EndProcess(path string) {
	path, _ = filepath.Abs(path)
	dayFiles.mu.Lock()
	defer dayFiles.mu.Unlock()
	dayFiles.byPath[path].unlock()
	delete(dayFiles.byPath, path)
}
