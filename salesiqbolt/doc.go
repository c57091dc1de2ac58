// Package salesiqbolt keeps events, and a token, in one file: for one process on one
// machine, without a server. What the service was answered for is not lost when the
// process is killed, when the machine loses power, or when the disk is full.
//
//	file, err := salesiqbolt.Open("events.db")
//	inbox, err := file.Inbox()
//	receiver, err := webhook.NewReceiver(verifier, webhook.WithSink(inbox))
//	webhook.On(receiver, func(ctx context.Context, e *webhook.ChatRated) error { … })
//
//	server := &http.Server{Addr: ":8090", Handler: receiver}
//	err = inbox.Serve(ctx, server, receiver.Dispatch) // Until ctx ends.
//	err = file.Close()
//
// Several processes share events through package salesiqredis.
//
// # Which function to use
//
//   - To answer the service as soon as an event is safe, use [File.Inbox] with
//     [webhook.WithSink], and [Inbox.Serve] to receive and handle events, or [Inbox.Run]
//     to handle them alone. No other store is needed
//     for that: an inbox takes each event once.
//   - To handle events before the service is answered, and to know after a restart
//     which were, use [File.DedupStore] with [webhook.WithDedupStore].
//   - To keep the access token over restarts, use [File.TokenStore] with
//     [salesiq.SealTokens].
//   - To see how much there is to do, use [Inbox.Stats] and [Inbox.Entries]. To let a
//     probe see it, use [Inbox.Health].
//   - To deal with what failed for good, use [Inbox.DeadLetters], [Inbox.Replay] and
//     [Inbox.Purge].
//   - To choose how long handled events are remembered, and how large the file may
//     become, use [WithMaxAge], [WithMaxEvents] and [WithMaxSize].
//
// # What is guaranteed
//
// An event is in the file before [Inbox.Enqueue] returns, and so before the service
// is answered. It stays there until its handlers have succeeded, or until it is
// purged. It is tried again after a failure, with growing pauses ([WithPauses]), and
// is a dead letter after its last try: after two days ([WithRetryFor], [WithMaxTries]).
//
// An event is handled once, with one exception: if the process ends between the end
// of the handlers and the commit that marks the event, which takes as long as the
// disk needs, the event is handled again. A handler for which that window is too
// wide can use [webhook.EventInfo.EventID] as a key of its own.
//
// # Commits
//
// All changes that wait while a commit is under way share the next one: events that
// arrive, events that are handed to handlers, and marks of those that were handled.
// One alone takes as long as the disk needs. Many take hardly longer.
//
// Which events are known is read when the file is opened, and kept in memory: about 90
// bytes for each that waits, is a dead letter, or is remembered as handled.
//
// What power loss may cost is the choice of [WithSync]: nothing ([SyncCommits]), or
// up to the whole file ([SyncNever]). The end of the process costs nothing under
// both.
//
// # The file
//
// The file is a database of go.etcd.io/bbolt. One process has it at a time; another
// one is told which ([InUseError]), after a while ([WithOpenWait]). That is known
// from a note beside it, events.db.holder, which is removed at Close. A file is made
// as events.db and is complete from the beginning: an empty one is somebody else's.
//
// A file that is not this package's is refused, and not touched ([ErrForeign]). So
// is a directory, a device and a symbolic link ([ErrNotRegular]), and what cannot be
// read any more ([ErrDamaged]).
//
// If the file is deleted, moved, replaced, overwritten or cut while it is in use, no
// event is taken any more, and the errors say so ([ErrGone], [ErrDamaged]). A file that
// was moved and is put back is used again.
//
// On a full disk no event is taken ([ErrFull]), and none is handled that could not
// be marked. Marks of events that were being handled are written when there is room
// again, before anything else. If Close comes first, it says how many are missing.
//
// The same holds for a disk that becomes read-only ([ErrReadOnly]). If the disk does not
// confirm a commit, nobody knows what is on it, and the file must be opened anew
// ([ErrUncertain]).
//
// The file does not become smaller. What was freed is used again. While no program has
// it, the tool of bbolt makes a smaller copy, which may take its place:
//
//	go run go.etcd.io/bbolt/cmd/bbolt@latest compact -o smaller.db events.db
//
// The file needs no more descriptors than one, which is opened at the beginning, and no
// network file system: a lock there is as good as that system's.
//
// Access to the file is access to the events, which are not sealed. Its owner alone
// can read it. Tokens are sealed before they come here ([salesiq.SealTokens]).
//
// # Versions
//
// This module builds on the public API of github.com/salesiq-go/salesiq: a newer
// version of that will do.
package salesiqbolt
