package salesiqbolt

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lockHolder returns who has the lock of a file, as the system tells, or nobody where it
// does not.
func lockHolder(path string) Holder {
	var stat syscall.Stat_t
	locks, err := os.ReadFile("/proc/locks")
	if err != nil || syscall.Stat(path, &stat) != nil {
		return Holder{}
	}
	place := lockPlace(uint64(stat.Dev), stat.Ino) //nolint:unconvert // It is of another type elsewhere.
	for line := range strings.Lines(string(locks)) {
		fields := strings.Fields(line) // As in 1: FLOCK ADVISORY WRITE 4711 fe:00:23 0 EOF.
		if len(fields) < 6 || fields[1] != "FLOCK" || fields[5] != place {
			continue
		}
		if pid, err := strconv.Atoi(fields[4]); err == nil && pid > 0 {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) //nolint:errcheck // It may have ended.
			return Holder{Program: strings.TrimSpace(string(name)), PID: pid, Host: hostName()}
		}
	}
	return Holder{}
}

// lockPlace returns how the system writes the place of a lock: the two numbers of the
// device, and that of the file.
func lockPlace(device, file uint64) string {
	return fmt.Sprintf("%02x:%02x:%d", device>>8&0xfff, device&0xff|device>>12&^0xff, file)
}
