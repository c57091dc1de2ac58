package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
)

//go:embed faq.txt
var sampleFAQ string

// faq is what the bot knows.
type faq []entry

// entry is one thing that visitors ask for.
type entry struct {
	topic  string
	words  [][]string // Each of them finds the entry; one may be several words in a row.
	answer string
	links  []string
}

// openFAQ reads a file, or the sample if there is none.
func openFAQ(path string) (faq, error) {
	if path == "" {
		return readFAQ(strings.NewReader(sampleFAQ))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // It has been read.
	known, err := readFAQ(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return known, nil
}

// readFAQ reads what faq.txt explains.
func readFAQ(r io.Reader) (known faq, err error) {
	lines := bufio.NewScanner(r)
	inside := false // An entry.
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			inside = false
		case !inside:
			e, err := readHead(line)
			if err == nil && known.named(e.topic) != nil {
				err = fmt.Errorf("there are two entries for %s", e.topic)
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			known, inside = append(known, e), true
		default:
			known[len(known)-1].add(line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for _, e := range known {
		if e.answer == "" {
			return nil, fmt.Errorf("there is no answer for %s", e.topic)
		}
	}
	if len(known) == 0 {
		return nil, errors.New("there are no entries")
	}
	return known, nil
}

func readHead(line string) (entry, error) {
	topic, words, ok := strings.Cut(line, ":")
	e := entry{topic: strings.TrimSpace(topic)}
	if !ok || e.topic == "" {
		return e, errors.New("an entry begins with its topic and a colon")
	}
	for word := range strings.SplitSeq(words, ",") {
		if split := splitWords(word); len(split) > 0 {
			e.words = append(e.words, split)
		}
	}
	return e, nil
}

// add adds a line to an answer.
func (e *entry) add(line string) {
	if strings.HasPrefix(line, "https://") {
		e.links = append(e.links, line)
		return
	}
	e.answer = strings.TrimSpace(e.answer + " " + line)
}

// named returns the entry for a topic, or nil.
func (f faq) named(topic string) *entry {
	for i := range f {
		if strings.EqualFold(f[i].topic, strings.TrimSpace(topic)) {
			return &f[i]
		}
	}
	return nil
}

// find returns the entries that a question is most likely about: one if it is clear,
// several if it is not, none if nothing is known.
func (f faq) find(question string) (found []entry) {
	if e := f.named(question); e != nil {
		return []entry{*e}
	}
	said := splitWords(question)
	most := 1
	for _, e := range f {
		switch n := e.matches(said); {
		case n > most:
			found, most = []entry{e}, n
		case n == most:
			found = append(found, e)
		}
	}
	return found
}

// matches counts the words of an entry that were said.
func (e entry) matches(said []string) (n int) {
	for _, word := range e.words {
		for at := range said {
			if beginsWith(said[at:], word) {
				n++
				break
			}
		}
	}
	return n
}

func beginsWith(said, word []string) bool {
	if len(said) < len(word) {
		return false
	}
	for i, part := range word {
		stem, open := strings.CutSuffix(part, "*")
		if said[i] != stem && (!open || !strings.HasPrefix(said[i], stem)) {
			return false
		}
	}
	return true
}

// splitWords returns the words of a text in lower case. A star belongs to its word.
func splitWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '*' && r != '\''
	})
}

// topics returns what the bot knows about.
func (f faq) topics() []string {
	topics := make([]string, len(f))
	for i, e := range f {
		topics[i] = e.topic
	}
	return slices.Clip(topics)
}
