package transport

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// logged is the link that reports attempts to the log. What it logs is an
// allow-list: no body, no query, no header but the request's id. It does not warn where
// the caller cancels. Nor does it where limiter or token stop all calls alike: their
// errors say so, and a warning for each would bury the others.
type logged struct {
	next   link
	logger *slog.Logger
}

func (l *logged) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	start := time.Now()
	answer, f := l.next.do(ctx, a)
	took := time.Since(start) - a.waited

	end, code, level := a.end(answer, f), "", slog.LevelDebug
	if f != nil {
		code = f.Said.Code
		if !errors.Is(ctx.Err(), context.Canceled) && f.fate != held && f.fate != tokenless {
			level = slog.LevelWarn
		}
	}
	attrs := []slog.Attr{
		slog.String("operation", a.request.Operation),
		slog.String("method", a.request.Method),
		slog.Int("attempt", a.number),
		slog.Int("status", end.Status),
		slog.String("code", code),
		slog.Duration("wait", a.paused+a.waited),
		slog.Duration("duration", took),
		slog.String("request_id", end.RequestID),
	}
	if f != nil && f.Err != nil {
		attrs = append(attrs, slog.String("error", redact.Summary(f.Err.Error())))
	}
	l.logger.LogAttrs(ctx, level, "salesiq attempt", attrs...)
	return answer, f
}

// logWait reports a wait that has begun: for what, and for how long, if that is
// known. A long one for the service's limits is worth knowing, once.
func logWait(ctx context.Context, logger *slog.Logger, operation string, w Wait) {
	level := slog.LevelDebug
	attrs := []slog.Attr{slog.String("operation", operation), slog.String("reason", string(w.Reason))}
	if !w.Until.IsZero() {
		left := max(0, time.Until(w.Until))
		attrs = append(attrs, slog.Duration("for", left))
		if left >= longWait && !w.Shared && w.Reason != WaitBackoff {
			level = slog.LevelInfo
		}
	}
	logger.LogAttrs(ctx, level, "salesiq wait", attrs...)
}
