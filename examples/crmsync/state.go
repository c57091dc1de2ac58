package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"time"

	"github.com/salesiq-go/salesiq/examples/crmsync/leads"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// openJournal returns the journal of the settings, or one that does not outlive
// this run.
func openJournal(c config, client *account.Account, crm string) (*leads.Journal, error) {
	switch {
	case c.dryRun, client.Emulator != nil && c.state == "":
		return leads.NewJournal(), nil
	case c.state != "":
		return leads.OpenJournal(c.state, time.Now())
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return leads.OpenJournal(filepath.Join(folder, "salesiq-crmsync", fileName(crm)), time.Now())
}

// fileName names a journal by the CRM that it is about.
func fileName(crm string) string {
	sum := sha256.Sum256([]byte(crm))
	return hex.EncodeToString(sum[:8]) + ".jsonl"
}
