package transport

import (
	"context"
	"log/slog"
	"time"
)

// logged is the link that reports attempts to the log. What it logs is an
// allow-list: no body, no query, no header but the request's id.
type logged struct {
	next   link
	logger *slog.Logger
}

func (l *logged) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	start := time.Now()
	answer, f := l.next.do(ctx, a)
	took := time.Since(start)

	var code string
	var status int
	var id string
	level := slog.LevelDebug
	if f == nil {
		status, id = answer.Status, requestID(answer.Header, answer.hide)
	} else {
		level, status, id, code = slog.LevelWarn, f.Status, f.RequestID, f.Answer.Code
	}
	l.logger.LogAttrs(ctx, level, "salesiq attempt",
		slog.String("operation", a.request.Operation),
		slog.String("method", a.request.Method),
		slog.Int("attempt", a.number),
		slog.Int("status", status),
		slog.String("code", code),
		slog.Duration("duration", took),
		slog.String("request_id", id))
	return answer, f
}
